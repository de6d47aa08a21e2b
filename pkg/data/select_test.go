package data

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// madeUp returns a dataset with the given counts of normal and anomalous rows per class.
func madeUp(counts ...[2]int) *Dataset {
	d := &Dataset{Name: "made-up"}
	for c, count := range counts {
		class := fmt.Sprintf("class%d", c)
		d.Classes = append(d.Classes, Class{Name: class})
		for label, n := range count {
			for i := range n {
				item := Item{Path: fmt.Sprintf("%s/%d/%d", class, label, i), Class: class, Anomalous: label == 1}
				if item.Anomalous {
					item.Defect = fmt.Sprintf("defect%d", i*3/n)
				}
				d.Items = append(d.Items, item)
			}
		}
	}
	return d
}

func TestSelect(t *testing.T) {
	d := madeUp([2]int{20, 60}, [2]int{10, 10}, [2]int{0, 5})
	tests := []struct {
		classes []string
		limit   int
		want    []Count
	}{
		{nil, 0, []Count{{"class0", 20, 60}, {"class1", 10, 10}, {"class2", 0, 5}}},
		{nil, 1000, []Count{{"class0", 20, 60}, {"class1", 10, 10}, {"class2", 0, 5}}},
		{nil, 1, []Count{{"class0", 1, 0}}},
		{nil, 2, []Count{{"class0", 1, 1}}},
		{nil, 5, []Count{{"class0", 1, 1}, {"class1", 1, 1}, {"class2", 0, 1}}},
		{nil, 21, []Count{{"class0", 4, 12}, {"class1", 2, 2}, {"class2", 0, 1}}},
		{[]string{"class1", "class0", "class1"}, 10, []Count{{"class0", 2, 6}, {"class1", 1, 1}}},
		{[]string{"class2"}, 3, []Count{{"class2", 0, 3}}},
	}
	for _, test := range tests {
		got, err := d.Select(test.classes, test.limit)
		if err != nil {
			t.Fatal(err)
		}
		if counts := got.Counts(); !slices.Equal(counts, test.want) {
			t.Errorf("%v limit %d: %v, want %v", test.classes, test.limit, counts, test.want)
		}
	}
	three, err := d.Select([]string{"class0"}, 6)
	if err != nil {
		t.Fatal(err)
	}
	defects := map[string]bool{}
	for _, item := range three.Items {
		defects[item.Defect] = true
	}
	if len(defects) != 4 { // normal and three defects
		t.Errorf("few pictures miss a defect: %v", defects)
	}
}

func TestSelectErrors(t *testing.T) {
	d := madeUp([2]int{1, 1}, [2]int{1, 1})
	if _, err := d.Select(nil, -1); err == nil {
		t.Error("a negative limit passed")
	}
	_, err := d.Select([]string{"class0", "Clas1"}, 0)
	if !errors.Is(err, ErrUnknownClass) || !strings.Contains(err.Error(), `"Clas1"; did you mean class1, class0`) {
		t.Errorf("error %v: want one that names the nearest class first", err)
	}
}

// For any counts: Select returns exactly limit rows, in the dataset's order, none
// twice, and at least one per group if limit allows.
func TestSelectLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		var counts [][2]int
		groups := 0
		for range 1 + r.IntN(6) {
			count := [2]int{r.IntN(30), 1 + r.IntN(30)}
			counts = append(counts, count)
			groups += min(1, count[0]) + 1
		}
		d := madeUp(counts...)
		limit := 1 + r.IntN(len(d.Items)+5)
		got, err := d.Select(nil, limit)
		if err != nil {
			t.Fatal(err)
		}
		if want := min(limit, len(d.Items)); len(got.Items) != want {
			t.Fatalf("%v limit %d: %d rows, want %d", counts, limit, len(got.Items), want)
		}
		seen := map[[2]string]bool{}
		next := 0
		for _, item := range got.Items {
			at := slices.IndexFunc(d.Items[next:], func(other Item) bool { return other.Path == item.Path })
			if at < 0 {
				t.Fatalf("%v limit %d: row %v is a second time there, or out of order", counts, limit, item)
			}
			next += at + 1
			seen[[2]string{item.Class, fmt.Sprint(item.Anomalous)}] = true
		}
		if want := min(limit, groups); len(seen) < want {
			t.Fatalf("%v limit %d: %d groups of class and label have a row, want %d", counts, limit, len(seen), want)
		}
	}
}
