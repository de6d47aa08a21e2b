package weights

// What a pickle builds. Python's None, bool, int, float and str are nil, bool,
// int64, float64 and string; the rest are the types here. *Tensor is a tensor.
type (
	tuple []any

	list struct{ items []any }

	// dict keeps its keys, strings and int64s, in the order of their first setting, as Python does.
	dict struct {
		keys   []any
		values map[any]any
	}

	// record is an object of a TorchScript class: what it was made of and its
	// state are kept and nothing is done with them.
	record struct {
		arguments tuple
		state     []any
	}

	// opaque stands for a value that no tensor needs: bytes, an integer wider than 64 bits.
	opaque struct{}

	// class is a global that may be mentioned but does nothing.
	class string

	// scriptClass is any TorchScript class; its objects become records.
	scriptClass struct{}

	// function is a global that a pickle may call.
	function struct {
		name string
		call func(m *machine, args tuple) (any, error)
	}

	// storageType is torch.FloatStorage and the like; dtype 0 is an untyped storage, counted in bytes.
	storageType struct{ dtype DType }

	// typedStorage is a storage with the element type that the pickle gives it; dtype 0 is none.
	typedStorage struct {
		dtype DType
		store *storage
	}
)

func (d *dict) set(key, value any) error {
	switch key := key.(type) {
	case int64:
	case string:
		if len(key) > maxName { // each look-up of a key reads it whole
			return malformed("the dictionary key %.40q... has more than %d bytes", key, maxName)
		}
	default:
		return malformed("a dictionary key is neither text nor an integer (%T)", key)
	}
	if d.values == nil {
		d.values = make(map[any]any)
	}
	if _, known := d.values[key]; !known {
		d.keys = append(d.keys, key)
	}
	d.values[key] = value
	return nil
}
