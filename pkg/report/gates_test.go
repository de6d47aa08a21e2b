package report

import (
	"bytes"
	"slices"
	"testing"
)

// TestGateMeans checks the means over the pictures of a class and of a target. Pictures
// that could not be scored and models without a gateway are left out.
func TestGateMeans(t *testing.T) {
	e := &Evaluation{Results: []Result{
		{Target: "bolts", Checkpoint: Checkpoint{Source: Source{Path: "a"}}, Classes: []Row{{Class: "x"}, {Class: "y"}}},
		{Target: "bolts", Checkpoint: Checkpoint{Source: Source{Path: "static"}}, Classes: []Row{{Class: "x"}}},
	}}
	gates := func(first float32) []float32 { return []float32{first, 0.5, 1 - first, 0.5, 0.25, 1, 0.75, 0} } // N = 2
	scores := []Score{
		{Target: "bolts", Checkpoint: "a", Class: "x", Extras: map[string][]float32{Gates: gates(0.25)}},
		{Target: "bolts", Checkpoint: "a", Class: "x", Extras: map[string][]float32{Gates: gates(0.75)}},
		{Target: "bolts", Checkpoint: "a", Class: "x", Error: "cut off"},
		{Target: "bolts", Checkpoint: "a", Class: "y", Extras: map[string][]float32{Gates: gates(1)}},
		{Target: "bolts", Checkpoint: "static", Class: "x"},
	}
	means := e.GateMeans(scores)
	if len(means) != 3 || means[0].Class != "x" || means[1].Class != "y" || means[2].Class != "" {
		t.Fatalf("means %+v", means)
	}
	if want := []float64{0.5, 0.5, 0.5, 0.5, 0.25, 1, 0.75, 0}; !slices.Equal(means[0].Omega, want) || means[0].Groups != 2 {
		t.Errorf("of x %+v", means[0])
	}
	if got := means[2].At(0, 0, 0); got != (0.25+0.75+1)/3 {
		t.Errorf("of all %v", got)
	}
	if means[0].At(1, 0, 1) != 1 || means[0].At(1, 1, 0) != 0.75 {
		t.Errorf("places of %v", means[0].Omega)
	}
	var out bytes.Buffer
	if err := WriteGatesCSV(&out, means[:1]); err != nil {
		t.Fatal(err)
	}
	want := `target,checkpoint,row,class,state,group,level,omega
bolts,a,class,x,normal,1,1,0.5
bolts,a,class,x,normal,1,2,0.5
bolts,a,class,x,normal,2,1,0.25
bolts,a,class,x,normal,2,2,0.75
bolts,a,class,x,abnormal,1,1,0.5
bolts,a,class,x,abnormal,1,2,0.5
bolts,a,class,x,abnormal,2,1,1
bolts,a,class,x,abnormal,2,2,0
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
