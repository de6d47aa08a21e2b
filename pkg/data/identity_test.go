package data

import (
	"path/filepath"
	"slices"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/domain"
)

// A class or defect folder with a benchmark's name does not make the dataset that benchmark.
func TestClassesCalledAsBenchmarks(t *testing.T) {
	for _, test := range []struct {
		name      string
		tree      []string
		inside    string
		benchmark string
	}{
		{"one class", []string{"brain/test/{good,bad}/0.png"}, "", ""},
		{"one class in other case", []string{"Liver/test/{good,bad}/0.png"}, "", ""},
		{"two classes", []string{"{brain,retina}/test/{good,bad}/0.png"}, "", ""},
		{"a class beside others", []string{"{liver,bolt}/test/{good,bad}/0.png"}, "", ""},
		{"a class of a name that is no common word", []string{"{visa,bolt}/test/{good,bad}/0.png"}, "", ""},
		{"the class's own folder", []string{"brain/test/{good,bad}/0.png"}, "brain", ""},
		{"good and bad in a folder of that name", []string{"liver/{good,bad}/0.png"}, "liver", ""},
		{"good and bad in the only folder", []string{"liver/{good,bad}/0.png"}, "", ""},
		{"pictures and masks in the only folder", []string{"retina/{images,masks}/0.png"}, "", ""},
		{"a benchmark's folder without a class of it", []string{"visa/widget/test/{good,bad}/0.png"}, "visa", ""},
		{"normal pictures where the benchmark has none", []string{"kvasir/thing/test/{good,bad}/0.png"}, "kvasir", ""},
		{"a defect", []string{"{good,brain}/0.png"}, "", ""},
		{"a defect of a class", []string{"x/test/{good,liver}/0.png"}, "", ""},
		{"BMAD's own layout is proof", []string{"Liver/test/{good,Ungood}/img/1_1.png"}, "Liver", "Liver"},
		{"BMAD's own layout, and the folder around it", []string{"Liver/test/{good,Ungood}/img/1_1.png"}, "", "Liver"},
		{"a folder that is called as the published one is", []string{"Liver_AD/test/{good,bad}/1_1.png"}, "Liver_AD", "Liver"},
	} {
		root := filepath.Join(plant(t, "somewhere", test.tree...), test.inside)
		d := discover(t, "mine", config.Root{Path: root})
		if keyOf(d) != test.benchmark || d.Name != "mine" || (d.Domain == domain.Medical) != (test.benchmark != "") {
			t.Errorf("%s: name %s, benchmark %q, domain %s", test.name, d.Name, keyOf(d), d.Domain)
		}
		if packed := Packed(root); packed != nil {
			t.Errorf("%s: taken for a pack of %s", test.name, packed)
		}
	}
}

// A folder that contains several datasets is a pack; a dataset is not.
func TestPacked(t *testing.T) {
	for _, test := range []struct {
		tree []string
		want []string
	}{
		{[]string{"mvtec_ad/tile/test/good/0.png", "MPDD/tubes/test/good/0.png"}, []string{"MPDD", "mvtec_ad"}},
		{[]string{"Brain/test/{good,Ungood}/0.png", "mvtec_ad/tile/test/good/0.png"}, []string{"Brain", "mvtec_ad"}},
		{[]string{"{Brain,Liver}/test/{good,Ungood}/0.png"}, []string{"Brain", "Liver"}},
		{[]string{"brain/test/{good,bad}/0.png", "mvtec_ad/tile/test/good/0.png"}, []string{"brain", "mvtec_ad"}},
		{[]string{"Colon/{Kvasir,CVC-300}/{images,masks}/0.png", "x/notes.txt"}, []string{"Colon/CVC-300", "Colon/Kvasir"}},
		{[]string{"mvtec_ad/tile/test/good/0.png", "notes/x.txt"}, []string{"mvtec_ad"}},
		{[]string{"mvtec_ad/tile/test/good/0.png"}, nil},
		{[]string{"{wood,tile}/test/good/0.png"}, nil},
	} {
		root := plant(t, "somewhere", test.tree...)
		var got []string
		for _, path := range Packed(root) {
			got = append(got, relative(root, path))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.tree, got, test.want)
		}
	}
}

// The domain comes from the configuration, else the table of names, else the benchmark, else it is industrial.
func TestDomain(t *testing.T) {
	const silent = `{"names": {"Brain": {"Brain": "a brain"}}}`
	for _, test := range []struct {
		name  string
		names string // "" is the program's own table
		root  config.Root
		set   string
		want  domain.Domain
	}{
		{"a benchmark", "", config.Root{}, "Brain", domain.Medical},
		{"a set of one's own", "", config.Root{}, "mine", domain.Industrial},
		{"the configuration", "", config.Root{Domain: domain.Medical}, "mine", domain.Medical},
		{"the configuration before the benchmark", "", config.Root{Domain: domain.Industrial}, "Brain", domain.Industrial},
		{"a table without domains leaves a benchmark's", silent, config.Root{}, "Brain", domain.Medical},
		{"a table without domains, and a set of one's own", silent, config.Root{}, "mine", domain.Industrial},
		{"a table goes before the benchmark", `{"domains": {"Brain": "industrial"}, "names": {"x": {"y": "z"}}}`, config.Root{}, "Brain", domain.Industrial},
		{"a table knows a set by its name", `{"domains": {"mine": "medical"}, "names": {"x": {"y": "z"}}}`, config.Root{}, "mine", domain.Medical},
		{"the configuration before the table", `{"domains": {"mine": "medical"}, "names": {"x": {"y": "z"}}}`, config.Root{Domain: domain.Industrial}, "mine", domain.Industrial},
	} {
		root := test.root
		root.Path = plant(t, "somewhere", "x/test/{good,bad}/0.png")
		var names *Names
		if test.names != "" {
			var err error
			if names, err = LoadNames(writeFile(t, t.TempDir(), "names.json", test.names)); err != nil {
				t.Fatal(err)
			}
		}
		d, err := Discover(t.Context(), test.set, root, names)
		if err != nil {
			t.Fatal(err)
		}
		if d.Domain != test.want {
			t.Errorf("%s: %s, want %s", test.name, d.Domain, test.want)
		}
	}
}

// For a benchmark recognised by content, prompts are also looked up under the dataset's given name.
func TestNamesByTheGivenNameToo(t *testing.T) {
	names, err := LoadNames(writeFile(t, t.TempDir(), "names.json", `{"domains": {"mine": "industrial"}, "names": {"mine": {"tile": "a floor"}, "MVTec": {"tile": "x", "wood": "a plank"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Discover(t.Context(), "mine", config.Root{Path: plant(t, "somewhere", "{tile,wood}/test/good/0.png")}, names)
	if err != nil {
		t.Fatal(err)
	}
	if keyOf(d) != "MVTec" || d.Classes[0].Prompt != "a floor" || d.Classes[1].Prompt != "a plank" {
		t.Errorf("benchmark %q, classes %v", keyOf(d), d.Classes)
	}
}
