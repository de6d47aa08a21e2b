package torch

// Buffer is CPU memory for one tensor after another. It is for weights that are converted as
// soon as they are loaded: new memory for each costs page faults.
type Buffer struct {
	scope  *Scope
	values Tensor // float32, one dimension
}

// NewBuffer returns a Buffer, which grows with the tensors. It does not belong to s: the caller
// closes it, inside Do.
func (s *Scope) NewBuffer() *Buffer { return &Buffer{scope: newScope(s.rt)} }

// Close frees the memory, once no tensor in it is left.
func (b *Buffer) Close() { b.scope.close() }

// LoadFloat32 is like Scope.LoadFloat32, but the tensor belongs to the innermost open Scope, and on
// the CPU it is valid only until the next load or Close. Clone returns one that stays.
func (b *Buffer) LoadFloat32(read func(memory []float32) error, shape ...int64) (Tensor, error) {
	const op = "LoadFloat32"
	count := elements(shape)
	if !b.values.Defined() || b.values.NumElements() < count {
		rt := b.scope.rt
		b.Close()
		b.scope = newScope(rt)
		b.values = b.scope.empty(op, Float32, []int64{count}, false)
	}
	t := b.values.Narrow(0, 0, count).Reshape(shape...)
	if err := read(memory[float32](op, t)); err != nil {
		return Tensor{}, err
	}
	if device := b.scope.rt.device; device != CPU {
		return t.to(op, Float32, device, false), nil
	}
	return t, nil
}
