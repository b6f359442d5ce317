package davserver

import (
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/problem"
)

// hrefsIn are the hrefs in the value of a live property.
func (q *request) hrefsIn(r *resource, n caldav.Name) ([]string, error) {
	value, err := q.valueOf(r, n)
	if value == nil || err != nil {
		return nil, err
	}
	var out []string
	var collect func(*caldav.Element)
	collect = func(e *caldav.Element) {
		for c := range e.Elements() {
			if c.Is(caldav.D("href")) {
				out = append(out, strings.TrimSpace(c.Text()))
			} else {
				collect(c)
			}
		}
	}
	collect(value)
	return out, nil
}

// valueOf is a property as an element, nil when the resource has none.
func (q *request) valueOf(r *resource, n caldav.Name) (*caldav.Element, error) {
	var x caldav.Writer
	s := q.selection(caldav.PropRequest{})
	x.StartDocument(caldav.D("prop"))
	found, err := s.live(r, n, &x)
	if err != nil {
		return nil, err
	}
	if !found {
		xml, ok := r.dead(n)
		if !ok {
			return nil, nil
		}
		x.Fragment(xml)
	}
	x.End(caldav.D("prop"))
	e, err := caldav.ParseElement(x.Bytes(), caldav.Limits{})
	if err != nil {
		return nil, err
	}
	return e.Child(n), nil
}

// expandProperty is RFC 3253 3.8: properties, and the properties of what their
// hrefs lead to.
func (q *request) expandProperty(r *resource, b *caldav.ExpandProperty) error {
	d, err := q.depth(depth0)
	if err != nil {
		return err
	}
	m := q.multistatus()
	budget := maxExpanded
	respond := func(r *resource) error { return q.expand(m.Multistatus, r, b.Properties, &budget) }
	err = respond(r)
	if err == nil && d == depth1 {
		err = q.children(r, respond)
	}
	return m.finish("", err)
}

// maxExpanded resources in one answer.
const maxExpanded = 1000

func (q *request) expand(m *caldav.Multistatus, r *resource, list []caldav.Expansion, budget *int) error {
	if *budget--; *budget < 0 {
		return problem.New(problem.TooManyMatches, "The answer would hold more than %d resources.", maxExpanded)
	}
	var p caldav.Propstats
	s := q.selection(caldav.PropRequest{})
	for _, e := range list {
		if len(e.Properties) == 0 {
			s.stats = p
			if err := s.one(r, e.Name); err != nil {
				return err
			}
			p = s.stats
			continue
		}
		hrefs, err := q.hrefsIn(r, e.Name)
		if err != nil {
			return err
		}
		value, err := q.valueOf(r, e.Name)
		if err != nil {
			return err
		}
		if value == nil {
			p.At(404).Empty(e.Name)
			continue
		}
		x := p.At(200)
		x.Start(e.Name)
		for _, h := range hrefs {
			if err := q.expandHref(x, h, e.Properties, budget); err != nil {
				return err
			}
		}
		x.End(e.Name)
	}
	m.Response(r.href(), &p)
	return nil
}

// expandHref writes the response for what an href leads to, or the href itself
// when it leads elsewhere.
func (q *request) expandHref(x *caldav.Writer, href string, list []caldav.Expansion, budget *int) error {
	at, err := parseHref(href, q.sameHost)
	if err == nil {
		var r *resource
		if r, err = q.find(at); err == nil {
			inner := caldav.Within(x)
			return q.expand(inner, r, list, budget)
		}
	}
	if problem.Of(err).Condition == problem.Internal {
		return err
	}
	x.Href(href)
	return nil
}
