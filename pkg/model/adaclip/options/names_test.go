package options

import (
	"testing"

	"acdclip/pkg/config/section"
)

func TestPromptName(t *testing.T) {
	for _, c := range []struct {
		of            section.Class
		folder, table string
	}{
		{section.Class{Benchmark: "MVTec", Name: "metal_nut", Prompt: "metal nut"}, "metal_nut", "metal nut"},
		{section.Class{Benchmark: "BTAD", Name: "01", Prompt: "industrial part"}, "01", "industrial part"},
		{section.Class{Benchmark: "Colon_clinicDB", Name: "ClinicDB", Prompt: "colon"}, "ClinicDB", "colon"},
		{section.Class{Benchmark: "Colon_colonDB", Name: "colon", Prompt: "colon"}, "ColonDB", "colon"},
		{section.Class{Benchmark: "Retina", Name: "retina", Prompt: "retinal OCT"}, "retinal OCT", "retinal OCT"},
		{section.Class{Benchmark: "MVTec", Name: "metal_nut", Prompt: "steel nut", Chosen: true}, "steel nut", "steel nut"},
		{section.Class{Name: "hex-bolt_big", Prompt: "hex bolt big"}, "hex bolt_big", "hex bolt big"},
	} {
		m, _ := Preset()
		if got := section.PromptName(&m, c.of); got != c.folder {
			t.Errorf("%+v: %q by the folder, want %q", c.of, got, c.folder)
		}
		m.Names = TableNames
		if got := section.PromptName(&m, c.of); got != c.table {
			t.Errorf("%+v: %q by the table, want %q", c.of, got, c.table)
		}
	}
	if got := section.PromptName(nil, section.Class{Name: "a_b", Prompt: "a b"}); got != "a b" {
		t.Errorf("a model without a rule: %q", got)
	}
}
