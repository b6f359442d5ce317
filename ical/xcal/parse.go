package xcal

import (
	"bytes"
	"fmt"
	"io"
	"strings"

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

// ParseAll reads all calendars of an icalendar element (RFC 6321 3.2).
func ParseAll(data []byte) ([]*ical.Calendar, error) {
	return ParseAllLimits(data, ical.DefaultLimits)
}

// ParseAllLimits is ParseAll with other limits, which hold for all together.
func ParseAllLimits(data []byte, l ical.Limits) ([]*ical.Calendar, error) {
	return typed.ParseAll(data, l, len(data)/2+64, translator)
}

// NewReader reads a stream of any size, in the memory of its largest part:
// Reader.Next gives its calendars, Reader.NextPart their components one by one.
// Errors of the syntax are *ical.ParseErrors with the place in the XML text.
func NewReader(r io.Reader) *ical.Reader { return NewReaderLimits(r, ical.DefaultLimits) }

// NewReaderLimits is NewReader with other limits.
func NewReaderLimits(r io.Reader, l ical.Limits) *ical.Reader {
	return typed.Stream(r, l, translator)
}

func translator(in typed.Input, l ical.Limits) typed.Translator {
	return newParser(in, l)
}

// parser writes the iCalendar text that an xCal text stands for.
type parser struct {
	scanner
	out   typed.Lines
	depth int // components that may be nested
	size  int // octets one step may write
	mark  int // where the step began to write
	state state
	bare  bool // the root is the calendar itself
	rule  []rulePart
	plain []byte // text directly in a property
}

type rulePart struct{ name, value []byte }

type state uint8

const (
	atStart state = iota
	inStream
	inCalendar
	inComponents
	atEnd
)

// levels is how many elements lie between a component and the one inside, and
// between a property and its innermost value.
const levels = 2

func newParser(in typed.Input, l ical.Limits) *parser {
	p := &parser{depth: l.Depth}
	p.in, p.limit, p.deep, p.size = in, l.LineLength, levels*l.Depth+16, l.Size
	return p
}

// Lines are where the text is written.
func (p *parser) Lines() *typed.Lines { return &p.out }

// child goes to the next start tag, false at the end tag of what is open.
func (p *parser) child() (bool, error) {
	for {
		k, err := p.next()
		if err != nil {
			return false, err
		}
		switch k {
		case startTag:
			return true, nil
		case endTag, endOfText:
			return false, nil
		}
	}
}

func (p *parser) isTag(name string) bool {
	return !p.foreign && len(p.name) == len(name) && bytes.EqualFold(p.name, []byte(name))
}

// Step goes on by a calendar's head, a component, or a calendar's end.
func (p *parser) Step() error {
	p.mark = len(p.out.Text)
	switch p.state {
	case atStart:
		return p.root()
	case inStream:
		more, err := p.child()
		switch {
		case err != nil:
			return err
		case !more:
			p.state = atEnd
		case p.isTag("vcalendar"):
			p.begin()
		default:
			return p.leave() // RFC 6321 4.1: extensions anywhere else are ignored
		}
		return nil
	case inCalendar:
		more, err := p.child()
		switch {
		case err != nil:
			return err
		case !more:
			p.out.End([]byte("VCALENDAR"))
			p.state = inStream
			if p.bare {
				p.state = atEnd
			}
			return nil
		case p.isTag("components"):
			p.state = inComponents
			return nil
		}
		return p.member(1)
	case inComponents:
		more, err := p.child()
		switch {
		case err != nil:
			return err
		case !more:
			p.state = inCalendar
			return nil
		}
		return p.component(2)
	}
	for {
		switch k, err := p.next(); {
		case err != nil:
			return err
		case k == endOfText:
			return io.EOF
		case k != text || len(bytes.TrimSpace(p.text)) > 0:
			return p.in.Fault("text after the end of the document")
		}
	}
}

func (p *parser) begin() {
	p.out.Begin([]byte("VCALENDAR"))
	p.state = inCalendar
}

// root reads up to the root element: icalendar, or leniently a calendar or
// component without it.
func (p *parser) root() error {
	for {
		k, err := p.next()
		switch {
		case err != nil:
			return err
		case k == text && len(bytes.TrimSpace(p.text)) == 0:
			continue
		case k != startTag:
			return p.in.Fault("this is not an xCal document: it has no element icalendar")
		case p.isTag("icalendar"):
			p.state = inStream
			return nil
		case p.isTag("vcalendar"):
			p.bare = true
			p.begin()
			return nil
		case !p.foreign:
			if def, known := ical.LookupComponent(strings.ToUpper(string(p.name))); known && def.In == "VCALENDAR" {
				p.state = atEnd
				return p.component(1)
			}
		}
		return p.in.Fault("<%s> is not xCal: its root is the element icalendar of %s", clip(p.name), Namespace)
	}
}

// component reads the component whose start tag was read.
func (p *parser) component(depth int) error {
	if p.foreign {
		return p.leave()
	}
	if depth > p.depth {
		return p.in.Limit(fmt.Sprintf("components nested deeper than %d", p.depth))
	}
	if p.isTag("vcalendar") {
		return p.in.Fault("a calendar inside of a calendar")
	}
	name := typed.ComponentName(nil, decodeName(p.name))
	if name == nil {
		return p.in.Fault("<%s> cannot be a component", clip(p.name))
	}
	p.out.Begin(name)
	if err := p.room(); err != nil {
		return err
	}
	for {
		more, err := p.child()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if !p.isTag("components") {
			err = p.member(depth)
		} else {
			for {
				if more, err = p.child(); err != nil || !more {
					break
				}
				if err = p.component(depth + 1); err != nil {
					break
				}
			}
		}
		if err != nil {
			return err
		}
	}
	p.out.End(name)
	return nil
}

// member reads what stands in a component besides its components: the
// properties, or as in the drafts a property or component itself.
func (p *parser) member(depth int) error {
	if p.foreign {
		return p.leave()
	}
	if !p.isTag("properties") {
		if _, known := ical.LookupComponent(strings.ToUpper(string(p.name))); known {
			return p.component(depth + 1)
		}
		return p.property()
	}
	for {
		more, err := p.child()
		if err != nil || !more {
			return err
		}
		if p.foreign {
			err = p.extension()
		} else {
			err = p.property()
		}
		if err == nil {
			err = p.room()
		}
		if err != nil {
			return err
		}
	}
}

// room tells when a step writes too much.
func (p *parser) room() error {
	if len(p.out.Text)-p.mark > p.size {
		return p.in.Limit(fmt.Sprintf("a part of a calendar of more than %d octets", p.size))
	}
	return nil
}

// extension keeps an element of another namespace as the XML property (RFC
// 6321 4.1, 4.2).
func (p *parser) extension() error {
	name := p.open[p.starts[len(p.starts)-1]:]
	b := append([]byte{'<'}, name...)
	for i, q := range p.scope { // what it inherits must be said on it
		again := q.prefix == "" && q.uri == Namespace
		for _, later := range p.scope[i+1:] {
			again = again || later.prefix == q.prefix
		}
		if again || q.depth >= len(p.starts) {
			continue
		}
		b = append(b, " xmlns"...)
		if q.prefix != "" {
			b = append(append(b, ':'), q.prefix...)
		}
		b = append(b, `="`...)
		b = appendAttr(b, q.uri)
		b = append(b, '"')
	}
	b = append(b, p.tag[len(name):]...)
	if p.closing {
		b = append(b, "/>"...)
		if _, err := p.next(); err != nil {
			return err
		}
	} else {
		b = append(b, '>')
		p.copying, p.copied = true, p.copied[:0]
		err := p.leave()
		p.copying = false
		if err != nil {
			return err
		}
		b = append(b, p.copied...)
	}
	if len(b) > p.limit {
		return p.in.Limit(fmt.Sprintf("an element of more than %d octets", p.limit))
	}
	p.out.Property([]byte("XML"))
	p.out.Scalar("text", b)
	p.out.EndProperty("text")
	return nil
}
