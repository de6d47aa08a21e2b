package weights

import "strconv"

const (
	maxTreeDepth = 64
	// maxVisits limits the walk, because shared dictionaries can make a small pickle a huge tree.
	maxVisits = 1 << 18
	maxName   = 1024
	// maxNames limits the bytes of all names together.
	maxNames = 16 << 20
)

// flatten lists an object's tensors and scalars with dotted names, which consist of the
// keys of nested dictionaries, attributes of TorchScript modules and list indices.
func (f *File) flatten(root any) error {
	switch root.(type) {
	case *dict, *record, *list, tuple:
	case *Tensor:
		return unsupported("the file contains a single tensor, expected a state dict")
	default:
		return unsupported("the file contains no state dict (%s)", describeValue(root))
	}
	f.Scalars = make(map[string]any)
	w := &walker{file: f}
	return w.walk("", root, 0)
}

type walker struct {
	file   *File
	visits int
	named  int // bytes of the names so far
}

func (w *walker) walk(name string, v any, depth int) error {
	if w.visits++; w.visits > maxVisits {
		return malformed("more than %d values", maxVisits)
	}
	if w.named += len(name); w.named > maxNames {
		return malformed("the names have more than %d bytes in total", maxNames)
	}
	if depth > maxTreeDepth {
		return malformed("%.40s... is nested more than %d levels deep", name, maxTreeDepth)
	}
	if len(name) > maxName {
		return malformed("the name %.40s... has more than %d bytes", name, maxName)
	}
	switch v := v.(type) {
	case *Tensor:
		named := *v
		named.Name = name
		w.file.Tensors = append(w.file.Tensors, &named)
	case bool, int64, float64, string:
		if _, twice := w.file.Scalars[name]; twice {
			return malformed("duplicate value %.200q", name)
		}
		w.file.Scalars[name] = v
	case *dict:
		return w.walkDict(name, v, depth)
	case *list:
		return w.walkItems(name, v.items, depth)
	case tuple:
		return w.walkItems(name, v, depth)
	case *record:
		return w.walkRecord(name, v, depth)
	}
	return nil
}

func (w *walker) walkDict(name string, d *dict, depth int) error {
	for _, key := range d.keys {
		text, ok := key.(string)
		if !ok {
			text = strconv.FormatInt(key.(int64), 10)
		}
		if err := w.walk(join(name, text), d.values[key], depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) walkItems(name string, items []any, depth int) error {
	for i, item := range items {
		if err := w.walk(join(name, strconv.Itoa(i)), item, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// walkRecord walks a module's attributes, the keys of its state, with the module's name as prefix.
func (w *walker) walkRecord(name string, r *record, depth int) error {
	for _, part := range [][]any{r.arguments, r.state} {
		for _, v := range part {
			if err := w.walk(name, v, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}
