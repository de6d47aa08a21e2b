package options

import (
	"strings"

	"acdclip/pkg/config/section"
)

// PromptName returns a class's name in prompts. The released code takes the folder's name,
// and names of its own for benchmarks of one class. Benchmarks that its authors did not use
// keep the usual names, and so do classes that the user named.
func (m *Model) PromptName(c section.Class) string {
	if m.Names == TableNames || c.Chosen {
		return c.Prompt
	}
	switch c.Benchmark {
	case "", "MVTec", "VisA", "MPDD", "BTAD":
		return strings.ReplaceAll(c.Name, "-", " ")
	case "Colon_colonDB":
		return "ColonDB"
	case "Colon_clinicDB":
		return "ClinicDB"
	}
	return c.Prompt
}
