// Tensors' names in folders of Hugging Face and in GGUF files.
#pragma once
#include <string>

namespace jogak::import {

// A function that gives the name in the folder of what goes by `gguf` inside, for model_type `type`.
using NameInFile = std::string (*)(const std::string& gguf);
NameInFile names_of(const std::string& type);

// The GGUF name of a tensor of a folder; itself where the table has no such name.
std::string gguf_name(const std::string& type, const std::string& name);

}  // namespace jogak::import
