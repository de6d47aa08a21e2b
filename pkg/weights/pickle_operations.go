package weights

import "unicode/utf8"

const opStop = '.'

// operations are the opcodes, with the names of Python's pickletools, that torch.save and
// TorchScript write, and related ones of protocols 2 to 5.
var operations = [256]func(*machine) error{
	0x80: func(m *machine) error { return m.skip(1) },           // PROTO
	0x95: func(m *machine) error { return m.skip(8) },           // FRAME
	'(':  (*machine).mark,                                       // MARK
	'0':  func(m *machine) error { return second(m.pop()) },     // POP
	'1':  func(m *machine) error { return second(m.popMark()) }, // POP_MARK
	'2':  (*machine).duplicate,                                  // DUP

	'N':  func(m *machine) error { return m.push(nil) },   // NONE
	0x88: func(m *machine) error { return m.push(true) },  // NEWTRUE
	0x89: func(m *machine) error { return m.push(false) }, // NEWFALSE
	'J':  (*machine).signed32,                             // BININT
	'K':  func(m *machine) error { return m.unsigned(1) }, // BININT1
	'M':  func(m *machine) error { return m.unsigned(2) }, // BININT2
	0x8a: func(m *machine) error { return m.long(1) },     // LONG1
	0x8b: func(m *machine) error { return m.long(4) },     // LONG4
	'G':  (*machine).float,                                // BINFLOAT
	'X':  func(m *machine) error { return m.text(4) },     // BINUNICODE
	0x8c: func(m *machine) error { return m.text(1) },     // SHORT_BINUNICODE
	0x8d: func(m *machine) error { return m.text(8) },     // BINUNICODE8
	'T':  func(m *machine) error { return m.text(4) },     // BINSTRING
	'U':  func(m *machine) error { return m.text(1) },     // SHORT_BINSTRING
	'B':  func(m *machine) error { return m.raw(4) },      // BINBYTES
	'C':  func(m *machine) error { return m.raw(1) },      // SHORT_BINBYTES
	0x8e: func(m *machine) error { return m.raw(8) },      // BINBYTES8

	')':  func(m *machine) error { return m.push(tuple{}) }, // EMPTY_TUPLE
	't':  (*machine).tuple,                                  // TUPLE
	0x85: func(m *machine) error { return m.tupleOf(1) },    // TUPLE1
	0x86: func(m *machine) error { return m.tupleOf(2) },    // TUPLE2
	0x87: func(m *machine) error { return m.tupleOf(3) },    // TUPLE3
	']':  func(m *machine) error { return m.push(&list{}) }, // EMPTY_LIST
	'l':  (*machine).list,                                   // LIST
	'a':  (*machine).appendOne,                              // APPEND
	'e':  (*machine).appendMany,                             // APPENDS
	'}':  func(m *machine) error { return m.push(&dict{}) }, // EMPTY_DICT
	'd':  (*machine).dict,                                   // DICT
	's':  (*machine).setOne,                                 // SETITEM
	'u':  (*machine).setMany,                                // SETITEMS

	'h':  func(m *machine) error { return m.recall(1) },   // BINGET
	'j':  func(m *machine) error { return m.recall(4) },   // LONG_BINGET
	'q':  func(m *machine) error { return m.remember(1) }, // BINPUT
	'r':  func(m *machine) error { return m.remember(4) }, // LONG_BINPUT
	0x94: (*machine).memoize,                              // MEMOIZE

	'c':  (*machine).global,      // GLOBAL
	0x93: (*machine).stackGlobal, // STACK_GLOBAL
	'R':  (*machine).reduce,      // REDUCE
	0x81: (*machine).reduce,      // NEWOBJ: a class called with a tuple
	'b':  (*machine).build,       // BUILD
	'Q':  (*machine).persistent,  // BINPERSID
}

func second[T any](_ T, err error) error { return err }

func (m *machine) skip(n uint64) error { return second(m.take(n)) }

func (m *machine) mark() error {
	if len(m.marks) >= maxMarks {
		return malformed("the pickle is nested more than %d levels deep", maxMarks)
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

func (m *machine) duplicate() error {
	v, err := m.top()
	if err != nil {
		return err
	}
	return m.push(v)
}

func (m *machine) signed32() error {
	n, err := m.number(4)
	if err != nil {
		return err
	}
	return m.push(int64(int32(n)))
}

func (m *machine) unsigned(width uint64) error {
	n, err := m.number(width)
	if err != nil {
		return err
	}
	return m.push(int64(n))
}

func (m *machine) long(width uint64) error {
	b, err := m.counted(width)
	if err != nil {
		return err
	}
	return m.push(decodeLong(b))
}

func (m *machine) float() error {
	b, err := m.take(8)
	if err != nil {
		return err
	}
	return m.push(decodeFloat(b))
}

func (m *machine) text(width uint64) error {
	b, err := m.counted(width)
	if err != nil {
		return err
	}
	if !utf8.Valid(b) {
		return malformed("the pickle contains text that is not UTF-8")
	}
	return m.push(string(b))
}

func (m *machine) raw(width uint64) error {
	if _, err := m.counted(width); err != nil {
		return err
	}
	return m.push(opaque{})
}

func (m *machine) tuple() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.push(tuple(items))
}

func (m *machine) tupleOf(n int) error {
	items, err := m.popN(n)
	if err != nil {
		return err
	}
	return m.push(tuple(items))
}

func (m *machine) list() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.push(&list{items})
}

func (m *machine) appendOne() error {
	items, err := m.popN(1)
	if err != nil {
		return err
	}
	return m.extend(items)
}

func (m *machine) appendMany() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.extend(items)
}

func (m *machine) extend(items []any) error {
	target, err := m.top()
	if err != nil {
		return err
	}
	l, ok := target.(*list)
	if !ok {
		return malformed("the pickle appends to a value that is not a list (%s)", describeValue(target))
	}
	l.items = append(l.items, items...)
	return nil
}

func (m *machine) dict() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	d := &dict{}
	if err := d.setAll(items); err != nil {
		return err
	}
	return m.push(d)
}

func (m *machine) setOne() error {
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	return m.update(items)
}

func (m *machine) setMany() error {
	items, err := m.popMark()
	if err != nil {
		return err
	}
	return m.update(items)
}

func (m *machine) update(items []any) error {
	target, err := m.top()
	if err != nil {
		return err
	}
	d, ok := target.(*dict)
	if !ok {
		return malformed("the pickle sets an item of a value that is not a dictionary (%s)", describeValue(target))
	}
	return d.setAll(items)
}

// setAll sets items from alternating keys and values.
func (d *dict) setAll(items []any) error {
	if len(items)%2 != 0 {
		return malformed("the pickle has a dictionary key without a value")
	}
	for i := 0; i < len(items); i += 2 {
		if err := d.set(items[i], items[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) recall(width uint64) error {
	slot, err := m.number(width)
	if err != nil {
		return err
	}
	v, ok := m.memo[uint32(slot)]
	if !ok {
		return malformed("the pickle reads memo slot %d before setting it", slot)
	}
	return m.push(v)
}

func (m *machine) remember(width uint64) error {
	slot, err := m.number(width)
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	m.memo[uint32(slot)] = v
	return nil
}

func (m *machine) memoize() error {
	v, err := m.top()
	if err != nil {
		return err
	}
	m.memo[uint32(len(m.memo))] = v
	return nil
}

func (m *machine) global() error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	return m.pushGlobal(module, name)
}

func (m *machine) stackGlobal() error {
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	module, ok := items[0].(string)
	name, also := items[1].(string)
	if !ok || !also {
		return malformed("the pickle's name of a global is not text")
	}
	return m.pushGlobal(module, name)
}

func (m *machine) pushGlobal(module, name string) error {
	if len(module)+len(name) > maxName {
		return malformed("the name of the global %.40q... has more than %d bytes", module, maxName)
	}
	v, err := resolve(module, name)
	if err != nil {
		return err
	}
	return m.push(v)
}

func (m *machine) reduce() error {
	items, err := m.popN(2)
	if err != nil {
		return err
	}
	made, err := m.call(items[0], items[1])
	if err != nil {
		return err
	}
	return m.push(made)
}

// build sets an object's state. Attributes of a dictionary (an OrderedDict's _metadata) are
// not weights and are dropped.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	target, err := m.top()
	if err != nil {
		return err
	}
	switch target := target.(type) {
	case *record:
		target.state = append(target.state, state)
	case *dict:
	default:
		return malformed("the pickle sets the state of a value that has none (%s)", describeValue(target))
	}
	return nil
}

func (m *machine) persistent() error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	s, err := m.storage(id)
	if err != nil {
		return err
	}
	return m.push(s)
}
