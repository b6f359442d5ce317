package ical

import (
	"iter"
	"unicode/utf8"
)

// Bytes serializes the calendar: unchanged lines as the very octets read,
// changed and new ones folded (RFC 5545 3.1) and ended by CRLF, or by the
// input's own line end where it consistently used LF.
func (c *Calendar) Bytes() []byte { return c.AppendTo(make([]byte, 0, c.size())) }

// AppendTo appends what Bytes gives.
func (c *Calendar) AppendTo(b []byte) []byte {
	w := writer{b: append(b, c.prefix...), eol: c.eol, uid: c.Prop("UID") != nil, sequence: c.Prop("SEQUENCE") != nil}
	if w.eol == "" {
		w.eol = "\r\n"
	}
	w.base = len(w.b)
	w.component(&c.Component)
	return append(w.b, c.trailer...)
}

// Bytes serializes one component, for a fragment; new lines end with CRLF.
func (c *Component) Bytes() []byte {
	w := writer{eol: "\r\n"}
	w.component(c)
	return w.b
}

type writer struct {
	b             []byte
	base          int
	eol           string
	dirty         bool // something written was not read like this
	uid, sequence bool // the VCALENDAR itself has them (LEN-05)
}

func (w *writer) component(c *Component) {
	if c.open&parsed != 0 && int(c.read) != len(c.Properties)+len(c.Components) || c.open&parsed == 0 {
		w.dirty = true
	}
	switch {
	case c.begin != "":
		w.raw(c.begin)
	case c.open&noBegin == 0 || w.dirty && c.open&partial == 0:
		w.line("BEGIN:" + c.Name)
	}
	next := 0
	for _, p := range c.Properties {
		// A property that stood after a subcomponent stays there.
		if p.flags&trailing != 0 {
			for next < len(c.Components) && c.Components[next].line != 0 && c.Components[next].line < p.line {
				w.component(c.Components[next])
				next++
			}
		}
		w.property(p)
	}
	for _, s := range c.Components[next:] {
		w.component(s)
	}
	switch {
	case c.end != "":
		w.raw(c.end)
	case c.open&noEnd == 0 || w.dirty && c.open&partial == 0:
		w.line("END:" + c.Name)
	}
}

func (w *writer) property(p *Property) {
	if p.flags&changed == 0 {
		if p.flags&inherited == 0 {
			w.raw(p.raw)
			return
		}
		if w.uid && p.is("UID") || w.sequence && p.is("SEQUENCE") {
			return
		}
	}
	w.line(p.text())
}

// raw writes octets as read. They may lack a line end where the input did.
func (w *writer) raw(s string) {
	w.endLine()
	w.b = append(w.b, s...)
}

// endLine ends a last line that was read without a line end.
func (w *writer) endLine() {
	if n := len(w.b); n > w.base && w.b[n-1] != '\n' && w.b[n-1] != '\r' {
		w.b = append(w.b, w.eol...)
	}
}

// maxLine is how long a line may be without its line end (RFC 5545 3.1).
const maxLine = 75

// line writes a logical line and folds it at 75 octets, never inside a UTF-8
// sequence.
func (w *writer) line(s string) {
	w.dirty = true
	w.endLine()
	for room := maxLine; len(s) > room; room = maxLine - 1 {
		cut := room
		for back := 0; cut > 1 && back < utf8.UTFMax && !utf8.RuneStart(s[cut]); back++ {
			cut--
		}
		if !utf8.RuneStart(s[cut]) {
			cut = room // not UTF-8 at all
		}
		w.b = append(w.b, s[:cut]...)
		w.b = append(w.b, w.eol...)
		w.b = append(w.b, ' ')
		s = s[cut:]
	}
	w.b = append(w.b, s...)
	w.b = append(w.b, w.eol...)
}

// all walks a component and everything in it.
func (c *Component) all() iter.Seq[*Component] {
	return func(yield func(*Component) bool) { c.walk(yield) }
}

func (c *Component) walk(yield func(*Component) bool) bool {
	if !yield(c) {
		return false
	}
	for _, s := range c.Components {
		if !s.walk(yield) {
			return false
		}
	}
	return true
}

// size estimates the serialized length.
func (c *Calendar) size() int {
	n := len(c.prefix) + len(c.trailer)
	for s := range c.all() {
		n += len(s.begin) + len(s.end)
		if s.begin == "" {
			n += 2*len(s.Name) + 16
		}
		for _, p := range s.Properties {
			if p.flags&changed != 0 {
				n += len(p.text()) + len(p.text())/maxLine*3 + 2
			} else {
				n += len(p.raw)
			}
		}
	}
	return n
}
