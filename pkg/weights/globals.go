package weights

import (
	"strings"
)

// globals are the globals that a pickle may use, besides TorchScript's classes.
var globals = map[string]any{
	"collections OrderedDict": function{"collections.OrderedDict", orderedDict},

	"torch._utils _rebuild_tensor":               function{"torch._utils._rebuild_tensor", rebuildTensor},
	"torch._utils _rebuild_tensor_v2":            function{"torch._utils._rebuild_tensor_v2", rebuildTensor},
	"torch._utils _rebuild_tensor_v3":            function{"torch._utils._rebuild_tensor_v3", rebuildTensor3},
	"torch._utils _rebuild_parameter":            function{"torch._utils._rebuild_parameter", firstArgument},
	"torch._utils _rebuild_parameter_with_state": function{"torch._utils._rebuild_parameter_with_state", firstArgument},
	"torch._tensor _rebuild_from_type_v2":        function{"torch._tensor._rebuild_from_type_v2", rebuildFromType},
	"torch Size":                                 function{"torch.Size", firstArgument},

	// TorchScript's typed lists and dictionaries.
	"torch.jit._pickle build_intlist":    function{"torch.jit._pickle.build_intlist", firstArgument},
	"torch.jit._pickle build_doublelist": function{"torch.jit._pickle.build_doublelist", firstArgument},
	"torch.jit._pickle build_boollist":   function{"torch.jit._pickle.build_boollist", firstArgument},
	"torch.jit._pickle build_tensorlist": function{"torch.jit._pickle.build_tensorlist", firstArgument},
	"torch.jit._pickle restore_type_tag": function{"torch.jit._pickle.restore_type_tag", firstArgument},

	"torch Tensor":                 class("torch.Tensor"),
	"torch.nn.parameter Parameter": class("torch.nn.parameter.Parameter"),

	"torch HalfStorage":            storageType{F16},
	"torch BFloat16Storage":        storageType{BF16},
	"torch FloatStorage":           storageType{F32},
	"torch DoubleStorage":          storageType{F64},
	"torch CharStorage":            storageType{I8},
	"torch ShortStorage":           storageType{I16},
	"torch IntStorage":             storageType{I32},
	"torch LongStorage":            storageType{I64},
	"torch ByteStorage":            storageType{U8},
	"torch BoolStorage":            storageType{Bool},
	"torch UntypedStorage":         storageType{},
	"torch.storage UntypedStorage": storageType{},

	"torch float16":  F16,
	"torch bfloat16": BF16,
	"torch float32":  F32,
	"torch float64":  F64,
	"torch int8":     I8,
	"torch int16":    I16,
	"torch int32":    I32,
	"torch int64":    I64,
	"torch uint8":    U8,
	"torch bool":     Bool,
}

// resolve returns a global, or an error that names it.
func resolve(module, name string) (any, error) {
	if module == "__torch__" || strings.HasPrefix(module, "__torch__.") {
		return scriptClass{}, nil
	}
	if v, ok := globals[module+" "+name]; ok {
		return v, nil
	}
	return nil, unsupported("the pickle uses the global %.200q, which tensors do not need; no code was run; load the file with torch where you trust it, and save the model's state dict alone",
		module+"."+name)
}

// orderedDict returns an empty dictionary; torch fills it item by item.
func orderedDict(_ *machine, args tuple) (any, error) {
	if len(args) != 0 {
		return nil, malformed("%d arguments, expected none", len(args))
	}
	return &dict{}, nil
}

// firstArgument returns the first argument: the functions that use it wrap a tensor or list.
func firstArgument(_ *machine, args tuple) (any, error) {
	if len(args) == 0 {
		return nil, malformed("no arguments, expected at least 1")
	}
	return args[0], nil
}

// rebuildTensor takes (storage, offset, size, stride), then for v2 requires_grad,
// hooks and perhaps a dictionary of view bits (conjugate, negative), which must be empty.
func rebuildTensor(m *machine, args tuple) (any, error) {
	if len(args) < 4 {
		return nil, malformed("%d arguments, expected at least 4", len(args))
	}
	s, ok := args[0].(typedStorage)
	if !ok {
		return nil, malformed("the first argument is not a storage (%s)", describeValue(args[0]))
	}
	if s.dtype == 0 {
		return nil, malformed("an untyped storage has no element type")
	}
	if len(args) > 6 && !empty(args[6]) {
		return nil, unsupported("a conjugate or negative view of a tensor")
	}
	return m.layOver(s.store, s.dtype, args[1:4])
}

// rebuildTensor3 takes (storage, offset, size, stride, requires_grad, hooks, dtype[, view bits]).
func rebuildTensor3(m *machine, args tuple) (any, error) {
	if len(args) < 7 {
		return nil, malformed("%d arguments, expected at least 7", len(args))
	}
	s, ok := args[0].(typedStorage)
	if !ok {
		return nil, malformed("the first argument is not a storage (%s)", describeValue(args[0]))
	}
	dtype, ok := args[6].(DType)
	if !ok {
		return nil, malformed("the seventh argument is not an element type (%s)", describeValue(args[6]))
	}
	if len(args) > 7 && !empty(args[7]) {
		return nil, unsupported("a conjugate or negative view of a tensor")
	}
	return m.layOver(s.store, dtype, args[1:4])
}

// rebuildFromType takes (function, type, arguments, state), a tensor with attributes, and drops the attributes.
func rebuildFromType(m *machine, args tuple) (any, error) {
	if len(args) < 3 {
		return nil, malformed("%d arguments, expected at least 3", len(args))
	}
	f, ok := args[0].(function)
	if !ok || f.name == "torch._tensor._rebuild_from_type_v2" {
		return nil, malformed("the first argument is not a function that rebuilds a tensor (%s)", describeValue(args[0]))
	}
	return m.call(f, args[2])
}

// layOver returns a tensor over a storage with (offset, size, stride).
func (m *machine) layOver(store *storage, dtype DType, layout tuple) (any, error) {
	if m.tensors++; m.tensors > maxTensors {
		return nil, malformed("more than %d tensors", maxTensors)
	}
	offset, ok := layout[0].(int64)
	if !ok {
		return nil, malformed("the offset is not an integer (%s)", describeValue(layout[0]))
	}
	shape, err := integers(layout[1])
	if err != nil {
		return nil, err
	}
	strides, err := integers(layout[2])
	if err != nil {
		return nil, err
	}
	return newTensor(dtype, shape, strides, offset, store)
}

func integers(v any) ([]int64, error) {
	items, ok := v.(tuple)
	if !ok {
		return nil, malformed("a size or stride is not a tuple (%s)", describeValue(v))
	}
	if len(items) > maxDims {
		return nil, malformed("%d dimensions, the maximum is %d", len(items), maxDims)
	}
	numbers := make([]int64, len(items))
	for i, item := range items {
		if numbers[i], ok = item.(int64); !ok {
			return nil, malformed("a size or stride is not an integer (%s)", describeValue(item))
		}
	}
	return numbers, nil
}

func empty(v any) bool {
	d, ok := v.(*dict)
	return v == nil || ok && len(d.keys) == 0
}

// storage reads a persistent id: ("storage", type, key, device, elements).
func (m *machine) storage(id any) (typedStorage, error) {
	parts, ok := id.(tuple)
	if !ok || len(parts) < 5 || parts[0] != "storage" {
		return typedStorage{}, malformed("a persistent id is not a storage")
	}
	kind, ok := parts[1].(storageType)
	key, keyed := parts[2].(string)
	elements, counted := parts[4].(int64)
	if !ok || !keyed || !counted {
		return typedStorage{}, malformed("a storage's description lacks type, key or size")
	}
	store, ok := m.storages(key)
	if !ok {
		return typedStorage{}, malformed("storage %.200q is not in the archive", key)
	}
	bytes, ok := multiply(elements, max(kind.dtype.Size(), 1))
	if !ok || bytes != store.size {
		return typedStorage{}, malformed("%s has %d bytes, but the pickle declares %d elements of %d",
			store.name, store.size, elements, max(kind.dtype.Size(), 1))
	}
	return typedStorage{kind.dtype, store}, nil
}
