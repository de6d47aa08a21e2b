package weights

// The values of a pickle. Python's None, bool, int, float and str are nil, bool, int64,
// float64 and string, a tensor is a *Tensor, and all others are the types here.
type (
	tuple []any

	list struct{ items []any }

	// dict keeps its keys, strings and int64s, in insertion order, like Python.
	dict struct {
		keys   []any
		values map[any]any
	}

	// record is an object of a TorchScript class, with its arguments and state.
	record struct {
		arguments tuple
		state     []any
	}

	// opaque replaces a value that no tensor needs: bytes, an integer wider than 64 bits.
	opaque struct{}

	// class is a global that a pickle may push but not call.
	class string

	// scriptClass is a TorchScript class; its objects are records.
	scriptClass struct{}

	// function is a global that a pickle may call.
	function struct {
		name string
		call func(m *machine, args tuple) (any, error)
	}

	// storageType is a class such as torch.FloatStorage; dtype 0 means an untyped storage, measured in bytes.
	storageType struct{ dtype DType }

	// typedStorage is a storage with its element type in the pickle; dtype 0 means none.
	typedStorage struct {
		dtype DType
		store *storage
	}
)

func (d *dict) set(key, value any) error {
	switch key := key.(type) {
	case int64:
	case string:
		if len(key) > maxName { // each lookup hashes the whole key
			return malformed("the dictionary key %.40q... has more than %d bytes", key, maxName)
		}
	default:
		return malformed("a dictionary key is %T, expected text or an integer", key)
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
