package xcal

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/internal/typed"
)

// property reads the property whose start tag was read (RFC 6321 3.4).
func (p *parser) property() error {
	if !p.out.Property(decodeName(p.name)) {
		return p.in.Fault("<%s> cannot be a property", clip(p.name))
	}
	if err := p.content(); err != nil {
		if e, ok := err.(*ical.ParseError); ok && e.Property == "" {
			e.Property = string(p.out.Name())
		}
		return err
	}
	return nil
}

func (p *parser) content() error {
	typ := ""
	for _, a := range p.attrs { // the drafts have parameters as attributes
		if string(a.name) == "value" {
			typ = typed.TypeName(a.value)
		} else if p.out.Param(decodeName(a.name)) {
			p.out.ParamValue(a.value)
			p.out.EndParam()
		}
	}
	if !typed.ValidName(typ) {
		typ = ""
	}
	drafted := typ
	p.plain = p.plain[:0]
	for {
		k, err := p.next()
		if err != nil {
			return err
		}
		if k == endTag {
			break
		}
		switch {
		case k == text:
			if len(p.plain)+len(p.text) > p.limit {
				return p.in.Limit(fmt.Sprintf("the property has more than %d octets", p.limit))
			}
			p.plain = append(p.plain, p.text...)
			continue
		case p.foreign:
			err = p.leave()
		case p.isTag("parameters"):
			err = p.params()
		default:
			var t string
			if t, err = p.value(); typ == drafted {
				typ, drafted = t, "-"
			}
		}
		if err != nil {
			return err
		}
		if err := p.short(); err != nil {
			return err
		}
	}
	if drafted != "-" { // no element said the value: the text is it
		typ = p.draft(typ)
	}
	p.out.EndProperty(typ)
	return nil
}

// short tells when the property at hand gets too long.
func (p *parser) short() error {
	if p.out.Length() > p.limit {
		return p.in.Limit(fmt.Sprintf("the property has more than %d octets", p.limit))
	}
	return nil
}

// draft takes the text directly in a property as its value, as the drafts
// have it, and gives its type.
func (p *parser) draft(typ string) string {
	def, known := ical.LookupProperty(string(p.out.Name()))
	if typ == "" {
		if typ = typed.Unknown; known && def.Default() != "" {
			typ = strings.ToLower(def.Default())
		}
	}
	switch {
	case typ == "text" && known && def.List:
		p.out.Escaped(p.plain, ',')
	case typ == "text" && string(p.out.Name()) == "REQUEST-STATUS":
		p.out.Escaped(p.plain, ';')
	default:
		p.out.Scalar(typ, p.plain)
	}
	return typ
}

// params reads the element parameters (3.5).
func (p *parser) params() error {
	for {
		more, err := p.child()
		if err != nil || !more {
			return err
		}
		if p.foreign {
			if err := p.leave(); err != nil {
				return err
			}
			continue
		}
		drop := p.isTag("value") // 3.5.1: the type says it
		if !p.out.Param(decodeName(p.name)) {
			return p.in.Fault("<%s> cannot be a parameter", clip(p.name))
		}
		if err := p.paramValues(); err != nil {
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
}

// paramValues reads the values of a parameter, or its text where it has none.
func (p *parser) paramValues() error {
	values := false
	p.plain = p.plain[:0]
	for {
		k, err := p.next()
		if err != nil {
			return err
		}
		switch {
		case k == endTag:
			if plain := typed.Trim(p.plain); !values && len(plain) > 0 {
				p.out.ParamValue(plain)
			}
			p.plain = p.plain[:0]
			return nil
		case k == text:
			if len(p.plain)+len(p.text) > p.limit {
				return p.in.Limit(fmt.Sprintf("a parameter of more than %d octets", p.limit))
			}
			p.plain = append(p.plain, p.text...)
			continue
		}
		verbatim, boolean := p.isTag("text") || p.isTag("unknown"), p.isTag("boolean")
		s, err := p.leaf()
		if err != nil {
			return err
		}
		if !verbatim {
			s = typed.Trim(s)
		}
		if boolean {
			s = bytes.ToUpper(s)
		}
		p.out.ParamValue(s)
		values = true
		if err := p.short(); err != nil {
			return err
		}
	}
}

// value reads a value element (3.6) and gives its type.
func (p *parser) value() (string, error) {
	switch name := string(p.out.Name()); {
	case name == "GEO" && (p.isTag("latitude") || p.isTag("longitude")): // 3.4.1.2
		p.out.Separate(';')
		s, err := p.leaf()
		p.out.Scalar("float", s)
		return "float", err
	case name == "REQUEST-STATUS" && (p.isTag("code") || p.isTag("description") || p.isTag("data")): // 3.4.1.3
		p.out.Separate(';')
		s, err := p.leaf()
		p.out.Scalar("text", s)
		return "text", err
	case name == "GEO" || name == "REQUEST-STATUS":
		p.out.Separate(';')
	default:
		p.out.Separate(',')
	}
	name := decodeName(p.name)
	if !typed.ValidName(name) {
		return "", p.in.Fault("<%s> cannot be the type of a value", clip(p.name))
	}
	typ := typed.TypeName(name)
	switch typ {
	case "recur":
		return typ, p.recur()
	case "period":
		return typ, p.period()
	}
	s, err := p.leaf()
	if err != nil {
		return "", err
	}
	if typ == "text" && string(p.out.Name()) == "REQUEST-STATUS" {
		p.out.Escaped(s, ';')
	} else {
		p.out.Scalar(typ, s)
	}
	return typ, nil
}

// period reads start, and end or duration (3.6.9).
func (p *parser) period() error {
	n := 0
	for {
		k, err := p.next()
		if err != nil || k == endTag {
			return err
		}
		if k == text {
			if s := typed.Trim(p.text); len(s) > 0 {
				p.out.Scalar("period", s)
			}
			continue
		}
		s, err := p.leaf()
		if err != nil {
			return err
		}
		if n++; n == 2 {
			p.out.Raw([]byte{'/'})
		}
		if n <= 2 {
			p.out.Scalar("date-time", s)
		}
	}
}

// maxRuleParts is more than RFC 5545 and RFC 7529 define.
const maxRuleParts = 64

// recur reads the parts of a rule (3.6.10). A part with several values comes
// several times. FREQ is written first, as RFC 5545 3.3.10 asks for the sake
// of old readers.
func (p *parser) recur() error {
	p.rule = p.rule[:0]
	total := 0
	for {
		k, err := p.next()
		if err != nil {
			return err
		}
		if k == endTag {
			break
		}
		if k == text {
			if s := typed.Trim(p.text); len(s) > 0 {
				p.out.Scalar("recur", s)
			}
			continue
		}
		name := bytes.ToUpper(decodeName(p.name))
		if !typed.ValidName(name) {
			return p.in.Fault("<%s> cannot be a part of a rule", clip(p.name))
		}
		s, err := p.leaf()
		if err != nil {
			return err
		}
		if s = typed.Trim(s); bytes.IndexByte(s, ';') >= 0 {
			return p.in.Fault("a semicolon in a rule part")
		}
		if total += len(s) + 1; total > p.limit {
			return p.in.Limit("the rule is too long")
		}
		i := 0
		for i < len(p.rule) && !bytes.Equal(p.rule[i].name, name) {
			i++
		}
		if i == maxRuleParts {
			return p.in.Limit(fmt.Sprintf("more than %d rule parts", maxRuleParts))
		}
		if i == len(p.rule) {
			p.rule = append(p.rule, rulePart{name: name})
		} else {
			p.rule[i].value = append(p.rule[i].value, ',')
		}
		p.rule[i].value = typed.AppendBasic(p.rule[i].value, s)
	}
	first := true
	for _, freq := range []bool{true, false} {
		for _, r := range p.rule {
			if (string(r.name) == "FREQ") != freq {
				continue
			}
			if !first {
				p.out.Raw([]byte{';'})
			}
			first = false
			p.out.Raw(r.name)
			p.out.Raw([]byte{'='})
			p.out.Raw(r.value)
		}
	}
	return nil
}
