package jscal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/internal/typed"
)

// raw is JSON that is already written.
type raw string

// decode reads the one JSON value of a text, with its depth limited.
func decode(data []byte, l Limits) (any, error) {
	d := newDecoder(typed.NewInput(data), l.orDefault())
	v, err := d.whole()
	return v, fault(err)
}

// jcalParts are properties and components of the one component of a jCal
// object.
func jcalParts(data []byte) (properties, components raw, err error) {
	d := typed.JSON{In: typed.NewInput(data), Length: len(data)}
	skip := func(read func() ([]byte, error), then ...byte) (s raw) {
		if err == nil {
			var b []byte
			b, err = read()
			s = raw(b)
		}
		for _, c := range then {
			if err == nil {
				err = d.Expect(c, "jCal")
			}
		}
		return s
	}
	name := func() ([]byte, error) { return d.Str("jCal") }
	skip(func() ([]byte, error) { return nil, nil }, '[')
	skip(name, ',')
	skip(d.Raw, ',', '[', '[')
	skip(name, ',')
	properties = skip(d.Raw, ',')
	components = skip(d.Raw)
	return properties, components, err
}

// fault makes an error of reading JSON one of this package.
func fault(err error) error {
	e := (*ical.ParseError)(nil)
	if !errors.As(err, &e) {
		return err
	}
	reason := error(ErrFormat)
	if errors.Is(err, ical.ErrLimit) {
		reason = ErrLimit
	}
	return &ParseError{Line: e.Line, Column: e.Column, What: e.What, Err: reason}
}

// decoder makes values of JSON: objects, lists, texts, json.Numbers, booleans
// and nil.
type decoder struct {
	typed.JSON
	depth int
	names map[string]string // of members, each once
}

func newDecoder(in typed.Input, l Limits) *decoder {
	return &decoder{JSON: typed.JSON{In: in, Length: l.Size, Null: true}, depth: l.Depth, names: map[string]string{}}
}

// whole reads a value with nothing behind it.
func (d *decoder) whole() (any, error) {
	v, err := d.value(0)
	if err != nil {
		return nil, err
	}
	return v, d.end()
}

// end tells that something follows.
func (d *decoder) end() error {
	if d.Peek() != 0 || d.In.At < len(d.In.Data) {
		return d.In.Fault("something follows the JSON value")
	}
	return d.In.Failed()
}

// value reads a value within so many objects and arrays.
func (d *decoder) value(depth int) (any, error) {
	switch c := d.Peek(); c {
	case '"':
		return d.text("a text")
	case '{', '[':
		if depth >= d.depth {
			return nil, d.In.Limit(fmt.Sprintf("objects nested deeper than %d", d.depth))
		}
		d.In.At++
		if c == '{' {
			o := object{}
			err := d.members(func(name string) error {
				v, err := d.value(depth + 1)
				o[name] = v
				return err
			})
			return o, err
		}
		list := []any{}
		err := d.elements(func() error {
			v, err := d.value(depth + 1)
			list = append(list, v)
			return err
		})
		return list, err
	}
	s, number, err := d.Literal()
	switch {
	case err != nil:
		return nil, err
	case number:
		return json.Number(s), nil
	case string(s) == "null":
		return nil, nil
	}
	return string(s) == "true", nil
}

// text reads a string; what is no UTF-8 in it is replaced.
func (d *decoder) text(what string) (string, error) {
	s, err := d.Str(what)
	if !utf8.Valid(s) {
		return string([]rune(string(s))), err
	}
	return string(s), err
}

// maxNames bounds the names of members that are remembered.
const maxNames = 256

// members reads the members of an object behind its brace; do reads the value
// of each.
func (d *decoder) members(do func(name string) error) error {
	for first := true; d.Peek() != '}'; first = false {
		if !first {
			if err := d.Expect(',', "a comma or the end of the object"); err != nil {
				return err
			}
		}
		s, err := d.Str("the name of a member")
		if err != nil {
			return err
		}
		name, known := d.names[string(s)]
		if !known {
			if name = string(s); !utf8.ValidString(name) {
				name = string([]rune(name))
			}
			if len(d.names) < maxNames {
				d.names[string(s)] = name
			}
		}
		if err := d.Expect(':', "a colon"); err != nil {
			return err
		}
		if err := do(name); err != nil {
			return err
		}
	}
	d.In.At++
	return nil
}

// elements reads the elements of an array behind its bracket.
func (d *decoder) elements(do func() error) error {
	for first := true; d.Peek() != ']'; first = false {
		if !first {
			if err := d.Expect(',', "a comma or the end of the array"); err != nil {
				return err
			}
		}
		if err := do(); err != nil {
			return err
		}
	}
	d.In.At++
	return nil
}

// encode writes JSON, compact, with the members in the order of their names.
func encode(v any) []byte { return appendValue(nil, v) }

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendText(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case json.Number:
		return append(b, v...)
	case raw:
		return append(b, v...)
	case object:
		b = append(b, '{')
		var few [16]string // most objects have few members
		list := few[:0]
		for name := range v {
			list = append(list, name)
		}
		slices.Sort(list)
		for i, name := range list {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, name), ':')
			b = appendValue(b, v[name])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e)
		}
		return append(b, ']')
	}
	return append(b, "null"...) // no code of this package makes another type
}

func appendText(b []byte, s string) []byte {
	return append(typed.AppendQuoted(append(b, '"'), s), '"')
}
