"""Writes and reads jogak-stories.gguf with the `gguf` package; the keys are those of llama models."""
import gguf
import numpy as np

from shape import Shape
from tokenizer import BOS, EOS, UNKNOWN, Tokenizer

ARCHITECTURE = "llama"


def write_model(path, shape, tokens, tensors):
    """Matrices become F16, norms stay F32; tensors maps GGUF names to arrays [outputs, inputs] or [width]."""
    writer = gguf.GGUFWriter(str(path), ARCHITECTURE)
    writer.add_name("jogak-stories")
    writer.add_description("Writes short stories in simple English")
    writer.add_license("apache-2.0")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens.pieces)
    writer.add_token_scores(tokens.scores)
    writer.add_token_types(tokens.types())
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(True)
    for name, value in tensors.items():
        writer.add_tensor(name, value.astype(np.float16 if value.ndim == 2 else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read_model(path):
    """Returns (shape, tokenizer, tensors); tensors are float32 arrays [outputs, inputs] or [width]."""
    reader = gguf.GGUFReader(str(path))

    def key(name):
        return reader.fields[name].contents()

    def arch(name):
        return key(f"{ARCHITECTURE}.{name}")

    heads = arch("attention.head_count")
    shape = Shape(vocabulary=arch("vocab_size"), width=arch("embedding_length"), layers=arch("block_count"),
                  heads=heads, kv_heads=arch("attention.head_count_kv"), head=arch("rope.dimension_count"),
                  hidden=arch("feed_forward_length"), context=arch("context_length"),
                  epsilon=arch("attention.layer_norm_rms_epsilon"), rope_base=arch("rope.freq_base"))
    tokens = Tokenizer(key("tokenizer.ggml.tokens"), key("tokenizer.ggml.scores"))
    return shape, tokens, {t.name: np.array(t.data, np.float32) for t in reader.tensors}
