package options

import "testing"

func TestOwnName(t *testing.T) {
	tests := []struct{ released, own string }{
		{"image_adapter.m_i_w.0.i_w", "visual.0.blend"},
		{"image_adapter.m_i_w.11.i_w", "visual.11.blend"},
		{"image_adapter.lora_adapters.1.conv_lora_blocks.0.lora_A", "visual.1.down.3"},
		{"image_adapter.lora_adapters.1.conv_lora_blocks.1.lora_A", "visual.1.down.5"},
		{"image_adapter.lora_adapters.1.conv_lora_blocks.0.lora_B", "visual.1.up.3"},
		{"image_adapter.lora_adapters.2.conv_lora_blocks.1.conv_lora_A.weight", "visual.2.conv_down.5"},
		{"image_adapter.lora_adapters.2.conv_lora_blocks.0.conv_lora_B.weight", "visual.2.conv_up.3"},
		{"image_adapter.lora_adapters.3.fusion_conv.weight", "visual.3.fuse"},
		{"image_adapter.seg_proj.0.fc.0.weight", "visual.0.proj.0.weight"},
		{"image_adapter.seg_proj.0.fc.2.bias", "visual.0.proj.2.bias"},
		{"image_adapter.seg_layer_norms.0.weight", "visual.0.norm.weight"},
		{"image_adapter.det_proj.0.fc.2.weight", "visual.0.det_proj.2.weight"},
		{"image_adapter.det_layer_norms.0.bias", "visual.0.det_norm.bias"},
		{"image_adapter.vision_text_gate.4.0.bias", "visual.4.gate.0.bias"},
		{"text_adapter.m_t_w.0.i_w", "text.0.blend"},
		{"text_adapter.lora_adapters.5.lora_A", "text.5.A"},
		{"text_adapter.lora_adapters.5.lora_B", "text.5.B"},
		{"text_adapter.layer_norms.1.weight", "text.1.norm.weight"},
	}
	for _, test := range tests {
		if own, known := OwnName(test.released); !known || own != test.own {
			t.Errorf("%s is %s (%v), want %s", test.released, own, known, test.own)
		}
	}
	for _, name := range []string{
		"", "visual.0.blend", "image_adapter.m_i_w.x.i_w", "image_adapter.m_i_w.0.i_w.more", "more.image_adapter.m_i_w.0.i_w",
		"image_adapter.lora_adapters.0.conv_lora_blocks.2.lora_A", // a third branch, whose kernel size is unknown
		"image_adapter.seg_proj.0.fc.1.weight", "text_adapter.lora_adapters.0.lora_C",
	} {
		if own, known := OwnName(name); known || own != name {
			t.Errorf("%q is known as %q", name, own)
		}
	}
}
