"""Device tree overlay: the NPU for generic UIO, its memory for u-dma-buf."""
import amd

# interrupts: parent and first cell 0 (shared peripheral), last 4 (level, high); clock: index of the logic's clock 0.
TREE = {
    "zynq_ultra_ps_e": {"cells": 2, "interrupts": "gic", "clocks": "&zynqmp_clk 71"},
    "processing_system7": {"cells": 1, "interrupts": "intc", "clocks": "&clkc 15"},
}
MIB = 1 << 20


def cells(value, count):
    words = [value >> 32, value & 0xFFFFFFFF] if count == 2 else [value]
    return " ".join(f"0x{w:x}" for w in words)


def overlay(plan):
    v, tree = plan.vendor, TREE[plan.vendor["processor"]]
    hz = int(plan.mhz * 1e6)
    return f"""// {amd.NOT_RUN}
// Kernel: uio_pdrv_genirq.of_id=generic-uio, module u-dma-buf. Then: jogak run model.gguf --on uio:npu
/dts-v1/;
/plugin/;

&fpga_full {{
	firmware-name = "npu.bit.bin";
}};

&amba {{
	#address-cells = <{tree['cells']}>;
	#size-cells = <{tree['cells']}>;

	npu_clock: npu-clock {{
		compatible = "xlnx,fclk";
		#clock-cells = <0>;
		clocks = <{tree['clocks']}>;
		assigned-clocks = <{tree['clocks']}>;
		assigned-clock-rates = <{hz}>;
	}};

	npu@{v['registers']:x} {{
		compatible = "generic-uio";
		linux,uio-name = "npu";
		reg = <{cells(v['registers'], tree['cells'])} {cells(0x1000, tree['cells'])}>;
		interrupt-parent = <&{tree['interrupts']}>;
		interrupts = <0 {v['interrupt']} 4>;
		clock-frequency = <{hz}>;
	}};

	npu-memory {{
		compatible = "ikwzm,u-dma-buf";
		device-name = "npu-memory";
		size = <0x{v['buffer_mib'] * MIB:x}>;
	}};
}};
"""
