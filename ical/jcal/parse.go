package jcal

import (
	"fmt"
	"io"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/internal/typed"
)

// Parse reads the one calendar that data has. The error is an
// *ical.ParseError with the place in data, and ical.ErrLimit where a limit is
// passed. Lines of the calendar and of its Repairs count those of the
// iCalendar text that Calendar.Bytes gives.
func Parse(data []byte) (*ical.Calendar, error) { return ParseLimits(data, ical.DefaultLimits) }

// ParseLimits is Parse with other limits.
func ParseLimits(data []byte, l ical.Limits) (*ical.Calendar, error) {
	return typed.One(ParseAllLimits(data, l))
}

// ParseAll reads a jCal object, or an array of them (RFC 7265 3.2).
func ParseAll(data []byte) ([]*ical.Calendar, error) {
	return ParseAllLimits(data, ical.DefaultLimits)
}

// ParseAllLimits is ParseAll with other limits, which hold for all together.
func ParseAllLimits(data []byte, l ical.Limits) ([]*ical.Calendar, error) {
	return typed.ParseAll(data, l, len(data)+len(data)/8+64, translator)
}

// NewReader reads a stream of any size, in the memory of its largest part:
// Reader.Next gives its calendars, Reader.NextPart their components one by one.
// Errors of the syntax are *ical.ParseErrors with the place in the JSON text.
func NewReader(r io.Reader) *ical.Reader { return NewReaderLimits(r, ical.DefaultLimits) }

// NewReaderLimits is NewReader with other limits.
func NewReaderLimits(r io.Reader, l ical.Limits) *ical.Reader {
	return typed.Stream(r, l, translator)
}

func translator(in typed.Input, l ical.Limits) typed.Translator {
	return &parser{JSON: typed.JSON{In: in, Length: l.LineLength}, depth: l.Depth, size: l.Size}
}

// parser writes the iCalendar text that a jCal text stands for.
type parser struct {
	typed.JSON
	out   typed.Lines
	depth int // components that may be nested
	size  int // octets one step may write
	mark  int // where the step began to write
	state state
	many  bool
	name  []byte // of the component or rule part at hand
	freq  []byte // rule parts
	rest  []byte
}

type state uint8

const (
	atStart state = iota
	atCalendar
	atComponent
	afterCalendar
	atEnd
)

// Lines are where the text is written.
func (p *parser) Lines() *typed.Lines { return &p.out }

// Step goes on by a calendar's head, a component, or a calendar's end.
func (p *parser) Step() error {
	p.mark = len(p.out.Text)
	switch p.state {
	case atStart:
		if err := p.Expect('[', "an array"); err != nil {
			return err
		}
		if p.Peek() == '[' {
			p.many, p.state = true, atCalendar
			return nil
		}
		return p.calendar()
	case atCalendar:
		if err := p.Expect('[', "a jCal object"); err != nil {
			return err
		}
		return p.calendar()
	case atComponent:
		if p.Peek() == ']' {
			p.In.At++
			p.out.End([]byte("VCALENDAR"))
			p.state = afterCalendar
			return p.Expect(']', "the end of the calendar")
		}
		if err := p.Expect('[', "a component"); err != nil {
			return err
		}
		if err := p.component(2); err != nil {
			return err
		}
		return p.comma()
	case afterCalendar:
		p.state = atEnd
		if p.many {
			switch p.Peek() {
			case ',':
				p.In.At++
				p.state = atCalendar
				return nil
			case ']':
				p.In.At++
			default:
				return p.Unexpected("a comma or the end of the array of calendars")
			}
		}
		return nil
	}
	if p.Peek() != 0 || p.In.At < len(p.In.Data) {
		return p.Unexpected("the end")
	}
	if err := p.In.Failed(); err != nil {
		return err
	}
	return io.EOF
}

// calendar reads the head of a jCal object, behind its bracket. A component
// without its calendar is read as package ical reads one.
func (p *parser) calendar() error {
	if err := p.componentName(); err != nil {
		return err
	}
	if string(p.name) != "VCALENDAR" {
		def, known := ical.LookupComponent(string(p.name))
		if !known || def.In != "VCALENDAR" {
			return p.In.Fault("%q is not a calendar: a jCal object starts with \"vcalendar\"", p.name)
		}
		p.state = afterCalendar
		return p.body(1)
	}
	p.out.Begin(p.name)
	more, err := p.properties()
	if err != nil {
		return err
	}
	if !more {
		p.out.End(p.name)
		p.state = afterCalendar
		return nil
	}
	p.state = atComponent
	return p.Expect('[', "the array of components")
}

// component reads a component behind its bracket (RFC 7265 3.3).
func (p *parser) component(depth int) error {
	if depth > p.depth {
		return p.In.Limit(fmt.Sprintf("components nested deeper than %d", p.depth))
	}
	if err := p.componentName(); err != nil {
		return err
	}
	if string(p.name) == "VCALENDAR" {
		return p.In.Fault("a calendar inside of a calendar")
	}
	return p.body(depth)
}

func (p *parser) componentName() error {
	s, err := p.Str("the name of a component")
	if err != nil {
		return err
	}
	name := typed.ComponentName(p.name[:0], s)
	if name == nil {
		return p.In.Fault("%q cannot be the name of a component", clip(s))
	}
	p.name = name
	return nil
}

func (p *parser) body(depth int) error {
	name := string(p.name)
	p.out.Begin(p.name)
	if err := p.room(); err != nil {
		return err
	}
	more, err := p.properties()
	if err != nil {
		return err
	}
	if more {
		if err := p.Expect('[', "the array of components"); err != nil {
			return err
		}
		for p.Peek() != ']' {
			if err := p.Expect('[', "a component"); err != nil {
				return err
			}
			if err := p.component(depth + 1); err != nil {
				return err
			}
			if err := p.comma(); err != nil {
				return err
			}
		}
		p.In.At++
		if err := p.Expect(']', "the end of the component"); err != nil {
			return err
		}
	}
	p.out.End([]byte(name))
	return nil
}

// properties reads the second field of a component with the commas around it.
// The third may be missing: then the component ends here.
func (p *parser) properties() (more bool, err error) {
	if err := p.Expect(',', "a comma and the properties"); err != nil {
		return false, err
	}
	if err := p.Expect('[', "the array of properties"); err != nil {
		return false, err
	}
	for p.Peek() != ']' {
		if err := p.property(); err != nil {
			return false, err
		}
		if err := p.comma(); err != nil {
			return false, err
		}
	}
	p.In.At++
	switch p.Peek() {
	case ',':
		p.In.At++
		return true, nil
	case ']':
		p.In.At++
		return false, nil
	}
	return false, p.Unexpected("a comma and the components")
}

// comma reads the comma between elements; before the end there is none.
func (p *parser) comma() error {
	switch p.Peek() {
	case ']':
		return nil
	case ',':
		p.In.At++
		if c := p.Peek(); c != ']' {
			return nil
		}
	}
	return p.Unexpected("a comma and an element, or the end of the array")
}

// property reads a property (RFC 7265 3.4).
func (p *parser) property() error {
	if err := p.Expect('[', "a property"); err != nil {
		return err
	}
	name, err := p.Str("the name of a property")
	if err != nil {
		return err
	}
	if !p.out.Property(name) {
		return p.In.Fault("%q cannot be the name of a property", clip(name))
	}
	if err := p.params(); err != nil {
		return p.within(err)
	}
	if err := p.Expect(',', "a comma and the type"); err != nil {
		return p.within(err)
	}
	t, err := p.Str("the type of the value")
	if err != nil {
		return p.within(err)
	}
	if !typed.ValidName(t) {
		return p.within(p.In.Fault("%q cannot be a type", clip(t)))
	}
	typ := typed.TypeName(t)
	for p.Peek() == ',' {
		p.In.At++
		p.out.Separate(p.separator())
		if err := p.value(typ, 0); err != nil {
			return p.within(err)
		}
		if err := p.short(); err != nil {
			return p.within(err)
		}
	}
	if err := p.Expect(']', "the end of the property"); err != nil {
		return p.within(err)
	}
	p.out.EndProperty(typ)
	return p.room()
}

// room tells when a step writes too much.
func (p *parser) room() error {
	if len(p.out.Text)-p.mark > p.size {
		return p.In.Limit(fmt.Sprintf("a part of a calendar of more than %d octets", p.size))
	}
	return nil
}

// within tells an error which property it is about.
func (p *parser) within(err error) error {
	if e, ok := err.(*ical.ParseError); ok && e.Property == "" {
		e.Property = string(p.out.Name())
	}
	return err
}

// params reads the parameters (3.5).
func (p *parser) params() error {
	if err := p.Expect(',', "a comma and the parameters"); err != nil {
		return err
	}
	if err := p.Expect('{', "the object of parameters"); err != nil {
		return err
	}
	for first := true; p.Peek() != '}'; first = false {
		if !first {
			if err := p.Expect(',', "a comma or the end of the parameters"); err != nil {
				return err
			}
		}
		name, err := p.Str("the name of a parameter")
		if err != nil {
			return err
		}
		drop := len(name) == len("value") && string(typed.AppendLower(nil, string(name))) == "value" // 3.5.1: must not be there
		if !p.out.Param(name) {
			return p.In.Fault("%q cannot be the name of a parameter", clip(name))
		}
		if err := p.Expect(':', "a colon"); err != nil {
			return err
		}
		if p.Peek() == '[' {
			p.In.At++
			for p.Peek() != ']' {
				if err := p.paramValue(); err != nil {
					return err
				}
				if err := p.comma(); err != nil {
					return err
				}
				if err := p.short(); err != nil {
					return err
				}
			}
			p.In.At++
		} else if err := p.paramValue(); err != nil {
			return err
		}
		if drop {
			p.out.DropParam()
		} else {
			p.out.EndParam()
		}
		if err := p.short(); err != nil {
			return err
		}
	}
	p.In.At++
	return nil
}

// short tells when the property at hand gets too long.
func (p *parser) short() error {
	if p.out.Length() > p.Length {
		return p.In.Limit(fmt.Sprintf("the property has more than %d octets", p.Length))
	}
	return nil
}

// paramValue reads a string; a number or boolean is taken as its text.
func (p *parser) paramValue() error {
	var s []byte
	var err error
	if p.Peek() == '"' {
		s, err = p.Str("a value")
	} else {
		s, _, err = p.Literal()
	}
	if err == nil {
		p.out.ParamValue(s)
	}
	return err
}

func clip(s []byte) []byte { return s[:min(len(s), 40)] }
