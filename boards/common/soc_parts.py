"""Parts of the board's system on chip that LiteX does not have: width conversion without idle cycles, the checked
link, the board's description, the NPU as an instance."""

from functools import reduce
from operator import xor

from migen import *
from litex.gen import LiteXModule
from litex.soc.interconnect import axi, stream, wishbone
from litex.soc.interconnect.csr import CSRField, CSRStatus, CSRStorage
from litedram.common import LiteDRAMNativePort
from litedram.frontend.axi import LiteDRAMAXI2Native

CRC_POLYNOMIAL = 0xEDB88320
DRAM_ADDRESS_BITS = 40


def crc32_step(crc, byte):
    """CRC-32 (reflected, no final inversion) after one more byte, as an expression over Signals.

    Every bit is kept as the set of old bits whose parity it is: i for crc[i], 32 + i for byte[i].
    """
    bits = [{i, 32 + i} if i < 8 else {i} for i in range(32)]
    for _ in range(8):
        low, bits = bits[0], bits[1:] + [set()]
        bits = [b ^ low if CRC_POLYNOMIAL >> i & 1 else b for i, b in enumerate(bits)]
    return Cat(*(reduce(xor, (crc[i] if i < 32 else byte[i - 32] for i in sorted(b))) for b in bits))


class WidePort(LiteXModule):
    """A native port of `ratio` times the controller's width: one command becomes `ratio` commands in a row.

    LiteDRAM's own converter rests a cycle between commands, which costs a fifth of a 16-bit memory's bandwidth.
    """

    def __init__(self, narrow, data_width):
        ratio = data_width // narrow.data_width
        self.port = wide = LiteDRAMNativePort(
            mode="both", address_width=narrow.address_width - log2_int(ratio), data_width=data_width)
        # Without registers between them, the controller's ready and the AXI front end are one path, the longest.
        self.cmd = stream.Buffer(wide.cmd.description, pipe_valid=True, pipe_ready=True)
        cmd = self.cmd.source
        count = Signal(max=max(ratio, 2))
        taken = narrow.cmd.valid & narrow.cmd.ready
        self.comb += [
            wide.cmd.connect(self.cmd.sink),
            narrow.cmd.valid.eq(cmd.valid),
            narrow.cmd.we.eq(cmd.we),
            narrow.cmd.addr.eq(Cat(count, cmd.addr)),
            narrow.cmd.last.eq(cmd.last & (count == ratio - 1)),
            cmd.ready.eq(narrow.cmd.ready & (count == ratio - 1)),
        ]
        self.sync += If(taken, count.eq(count + 1))
        self.wdata = stream.StrideConverter(wide.wdata.description, narrow.wdata.description)
        self.rdata = stream.StrideConverter(narrow.rdata.description, wide.rdata.description)
        self.submodules += stream.Pipeline(wide.wdata, self.wdata, narrow.wdata)
        self.submodules += stream.Pipeline(narrow.rdata, self.rdata, wide.rdata)


class BufferedLine(LiteXModule):
    """A UART drops what arrives while the bridge answers; here some commands may wait (driver/litex counts on it)."""

    DEPTH = 16

    def __init__(self, phy):
        self.fifo = fifo = stream.SyncFIFO([("data", 8)], self.DEPTH)
        self.comb += phy.source.connect(fifo.sink)
        self.source, self.sink = fifo.source, phy.sink


class Link(LiteXModule):
    """Stands between the bridge and the bus, so that the host can tell what arrived.

    sent    CRC over every byte that the bridge sent since reset (CRC-32, reflected, starts at 0xffffffff)
    taken   likewise over every byte that it took
    counts  writes done (16 bits), writes refused (8), accesses that nobody answered (8); all wrap
    session what the host wrote, 0 after reset: how it notices that the board restarted or has another master
    gate    a write outside the words base .. end - 1 does nothing; the registers of this block always take writes
    """

    def __init__(self, line, master, own_words):
        self.bus = bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")
        self.bus_error = Signal()  # the bus's time-out; connected by SoC.finalize
        self._sent = CSRStatus(32, reset=0xFFFFFFFF)
        self._taken = CSRStatus(32, reset=0xFFFFFFFF)
        self._counts = CSRStatus(fields=[CSRField("writes", 16), CSRField("refused", 8), CSRField("errors", 8)])
        self._base = CSRStorage(30, reset=0)
        self._end = CSRStorage(30, reset=2**30 - 1)
        self._session = CSRStorage(16)

        first, count = own_words
        own = master.adr[log2_int(count):] == first >> log2_int(count)
        inside = own | ((master.adr >= self._base.storage) & (master.adr < self._end.storage))
        refuse = Signal()
        self.comb += [
            refuse.eq(master.cyc & master.stb & master.we & ~inside),
            master.connect(bus, omit={"cyc", "stb", "ack"}),
            bus.cyc.eq(master.cyc & ~refuse),
            bus.stb.eq(master.stb & ~refuse),
            master.ack.eq(bus.ack | refuse),
        ]
        for crc, stream_ in ((self._sent.status, line.sink), (self._taken.status, line.source)):
            self.sync += If(stream_.valid & stream_.ready, crc.eq(crc32_step(crc, stream_.data)))
        fields = self._counts.fields
        self.sync += [
            If(bus.cyc & bus.stb & bus.we & bus.ack, fields.writes.eq(fields.writes + 1)),
            If(refuse, fields.refused.eq(fields.refused + 1)),
            If(self.bus_error, fields.errors.eq(fields.errors + 1)),
        ]


class Description(LiteXModule):
    """Read-only words in which the board describes itself; `words` is called when all addresses are known."""

    def __init__(self, words, size):
        self.bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")
        self._words, self._size = words, size

    def do_finalize(self):
        words = self._words()
        assert len(words) <= self._size, f"{len(words)} words of description, {self._size} fit"
        self.sync += [
            self.bus.ack.eq(self.bus.cyc & self.bus.stb & ~self.bus.ack),
            Case(self.bus.adr[:log2_int(self._size)],
                 {i: self.bus.dat_r.eq(word) for i, word in enumerate(words)} | {"default": self.bus.dat_r.eq(0)}),
        ]


class Npu(LiteXModule):
    """rtl/npu.sv: registers as AXI4-Lite (self.registers), memory as AXI4 (self.memory, port_bytes wide)."""

    def __init__(self, port_bytes):
        self.registers = s = axi.AXILiteInterface(data_width=32, address_width=32)
        self.memory = m = axi.AXIInterface(data_width=8 * port_bytes, address_width=DRAM_ADDRESS_BITS, id_width=1)
        self.irq = Signal()
        running = Signal()
        self.comb += running.eq(~ResetSignal())
        ports = {"i_clk_i": ClockSignal(), "i_rst_ni": running, "o_irq_o": self.irq}
        for channel, ours, fields in (
                ("aw", s.aw, ["addr"]), ("w", s.w, ["data", "strb"]), ("ar", s.ar, ["addr"])):
            ports[f"i_s_axi_{channel}valid_i"] = ours.valid
            ports[f"o_s_axi_{channel}ready_o"] = ours.ready
            for f in fields:
                ports[f"i_s_axi_{channel}{f}_i"] = ours.addr[:12] if f == "addr" else getattr(ours, f)
        for channel, ours, fields in (("b", s.b, ["resp"]), ("r", s.r, ["data", "resp"])):
            ports[f"o_s_axi_{channel}valid_o"] = ours.valid
            ports[f"i_s_axi_{channel}ready_i"] = ours.ready
            for f in fields:
                ports[f"o_s_axi_{channel}{f}_o"] = getattr(ours, f)
        ax = ["addr", "len", "size", "burst", "id"]
        for channel, ours, fields in (("aw", m.aw, ax), ("ar", m.ar, ax), ("w", m.w, ["data", "strb", "last"])):
            ports[f"o_m_axi_{channel}valid_o"] = ours.valid
            ports[f"i_m_axi_{channel}ready_i"] = ours.ready
            for f in fields:
                ports[f"o_m_axi_{channel}{f}_o"] = getattr(ours, f)
        for channel, ours, fields in (("b", m.b, ["resp"]), ("r", m.r, ["data", "resp", "last"])):
            ports[f"i_m_axi_{channel}valid_i"] = ours.valid
            ports[f"o_m_axi_{channel}ready_o"] = ours.ready
            for f in fields:
                ports[f"i_m_axi_{channel}{f}_i"] = getattr(ours, f)
        for name in ("wvalid", "space", "waddr", "wstrb", "wdata", "svalid", "sem", "n"):  # of packages: no other chiplet here
            ports[f"i_rx_{name}_i"] = 0
        self.specials += Instance("npu", name="u_npu", **ports)

    def connect_memory(self, crossbar, base):
        """On the memory controller, without the bus in between."""
        width = self.memory.data_width
        if crossbar.controller.data_width < width:
            self.wide = WidePort(crossbar.get_port(), width)
            native = self.wide.port
        else:
            native = crossbar.get_port(data_width=width)
        self.to_native = LiteDRAMAXI2Native(self.buffered(self.memory), native, w_buffer_depth=16, r_buffer_depth=16, base_address=base)

    def buffered(self, memory):
        """The same port behind registers for the addresses of writes: LiteDRAM takes one by the fill of its buffer."""
        behind = axi.AXIInterface(data_width=memory.data_width, address_width=memory.address_width, id_width=1)
        self.aw = stream.Buffer(memory.aw.description, pipe_valid=True, pipe_ready=True)
        self.comb += [memory.aw.connect(self.aw.sink), self.aw.source.connect(behind.aw), memory.w.connect(behind.w),
                      memory.ar.connect(behind.ar), behind.b.connect(memory.b), behind.r.connect(memory.r)]
        return behind
