package caldav

import (
	"bytes"
	"io"
	"strings"
)

// PropKind says which properties are asked for.
type PropKind uint8

const (
	// Props are those that are named.
	Props PropKind = iota
	// AllProp is every dead property and the live ones of RFC 4918; and those of Include.
	AllProp
	// PropName asks for names alone.
	PropName
)

// PropRequest is what PROPFIND and the reports ask of each resource.
type PropRequest struct {
	Kind  PropKind
	Names []Name // for AllProp: DAV:include
	Data  *DataRequest
}

// maxProps in one request: each is looked up on each resource.
const maxProps = 1000

// ParsePropFind reads the body of a PROPFIND; an empty one is allprop (RFC 4918 9.1).
func ParsePropFind(body []byte, l Limits) (PropRequest, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return PropRequest{Kind: AllProp}, nil
	}
	root, err := ParseElement(body, l)
	if err != nil {
		return PropRequest{}, err
	}
	if !root.Is(D("propfind")) {
		return PropRequest{}, unexpected(root, "DAV:propfind")
	}
	var p propParser
	for e := range root.Elements() {
		if err := p.take(e); err != nil {
			return PropRequest{}, err
		}
	}
	if !p.seen {
		return PropRequest{}, refuse(Malformed, root.Line, "The DAV:propfind has none of DAV:prop, DAV:propname and DAV:allprop.")
	}
	return p.PropRequest, nil
}

func unexpected(e *Element, want string) *Error {
	return refuse(Malformed, e.Line, "The request body is a %s where %s is expected.", Clark(e.Name), want)
}

// propParser takes the elements that say which properties are wanted, wherever
// in a body they stand.
type propParser struct {
	PropRequest
	seen    bool
	include []Name
}

func (p *propParser) take(e *Element) error {
	kind := PropKind(0)
	switch e.Name {
	case D("prop"):
		kind = Props
	case D("allprop"):
		kind = AllProp
	case D("propname"):
		kind = PropName
	case D("include"):
		// RFC 4918 14.8: only beside allprop; elsewhere it is an unknown element.
		for c := range e.Elements() {
			p.include = append(p.include, c.Name)
		}
		if p.seen && p.Kind == AllProp {
			p.Names = p.include
		}
		return p.check(e)
	default:
		return nil
	}
	if p.seen {
		return refuse(Malformed, e.Line, "The request body asks for properties twice: only one of DAV:prop, DAV:propname and DAV:allprop is allowed.")
	}
	p.seen, p.Kind = true, kind
	switch kind {
	case AllProp:
		p.Names = p.include
	case Props:
		for c := range e.Elements() {
			if c.Is(C("calendar-data")) {
				d, err := parseDataRequest(c)
				if err != nil {
					return err
				}
				p.Data = d
			}
			p.Names = append(p.Names, c.Name)
		}
	}
	return p.check(e)
}

func (p *propParser) check(e *Element) error {
	if len(p.Names) > maxProps {
		return refuse(BeyondSize, e.Line, "The request asks for more than %d properties.", maxProps)
	}
	return nil
}

// Instruction is one step of a PROPPATCH: Value's element is set, or a property
// of its name removed.
type Instruction struct {
	Remove bool
	Value  *Element
}

// ParsePropPatch reads the steps of a PROPPATCH in document order (RFC 4918 9.2).
func ParsePropPatch(body []byte, l Limits) ([]Instruction, error) {
	root, err := ParseElement(body, l)
	if err != nil {
		return nil, err
	}
	if !root.Is(D("propertyupdate")) {
		return nil, unexpected(root, "DAV:propertyupdate")
	}
	steps, err := instructions(root)
	if err == nil && len(steps) == 0 {
		err = refuse(Malformed, root.Line, "The DAV:propertyupdate sets and removes nothing.")
	}
	return steps, err
}

func instructions(root *Element) ([]Instruction, error) {
	var steps []Instruction
	for e := range root.Elements() {
		remove := e.Is(D("remove"))
		if !remove && !e.Is(D("set")) {
			continue
		}
		for p := range e.Elements() {
			if !p.Is(D("prop")) {
				continue
			}
			for v := range p.Elements() {
				steps = append(steps, Instruction{Remove: remove, Value: v})
				if len(steps) > maxProps {
					return nil, refuse(BeyondSize, v.Line, "The request changes more than %d properties.", maxProps)
				}
			}
		}
	}
	return steps, nil
}

// ParseMkCalendar reads the properties a calendar is to be made with; the body may be empty.
func ParseMkCalendar(body []byte, l Limits) ([]*Element, error) {
	return parseMake(body, C("mkcalendar"), "CALDAV:mkcalendar", l)
}

// ParseMkCol reads the properties of an extended MKCOL (RFC 5689).
func ParseMkCol(body []byte, l Limits) ([]*Element, error) {
	return parseMake(body, D("mkcol"), "DAV:mkcol", l)
}

func parseMake(body []byte, name Name, want string, l Limits) ([]*Element, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, nil
	}
	root, err := ParseElement(body, l)
	if err != nil {
		return nil, err
	}
	if !root.Is(name) {
		return nil, unexpected(root, want)
	}
	steps, err := instructions(root)
	if err != nil {
		return nil, err
	}
	var values []*Element
	for _, s := range steps {
		if s.Remove {
			return nil, refuse(Malformed, s.Value.Line, "There is nothing to remove from a collection that does not exist yet.")
		}
		values = append(values, s.Value)
	}
	return values, nil
}

// document streams a body of known root: f gets each child of it.
func document(body []byte, l Limits, f func(root, child *Element) error) (*Element, error) {
	r, root, err := newReader(body, l)
	if err != nil {
		return nil, err
	}
	for {
		e, err := r.next()
		if err == io.EOF {
			return root, nil
		}
		if err == nil {
			if e.Is(D("href")) && len(e.Nodes) < 2 {
				r.elements-- // counted, and limited, by who keeps them
			}
			err = f(root, e)
		}
		if err != nil {
			return nil, err
		}
	}
}

func trimmed(e *Element) string { return strings.TrimSpace(e.Text()) }
