package davserver

import (
	"maps"
	"slices"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/store"
)

// property is one live property: a row of the tables in properties_*.go.
type property struct {
	name  caldav.Name
	where kind
	// all says that DAV:allprop includes it: those of RFC 4918 15 do; those of
	// the other standards should not (RFC 4791 5.2, RFC 6638 2, RFC 3744 5).
	all bool
	// value writes the content; false means that the resource has no such property.
	value func(q *request, r *resource, x *caldav.Writer) (bool, error)
	// set changes a collection; nil means protected (RFC 4918 15). The element
	// is nil when the property is to be removed.
	set func(q *request, c *store.Collection, e *caldav.Element) error
}

// live are the rows by name. The tables do not change.
var live = func() map[caldav.Name]*property {
	rows := map[caldav.Name]*property{}
	for _, table := range [][]property{webdavProperties, aclProperties, principalProperties, calendarProperties, schedulingProperties, sharingProperties, proxyProperties, quotaProperties, attachmentProperties, pushProperties} {
		for i := range table {
			if rows[table[i].name] != nil {
				panic("davserver: two rows for the property " + caldav.Clark(table[i].name))
			}
			rows[table[i].name] = &table[i]
		}
	}
	return rows
}()

// liveNames in a stable order, for allprop and propname.
var liveNames = slices.SortedFunc(maps.Keys(live), func(a, b caldav.Name) int {
	if a.Space != b.Space {
		return compare(a.Space, b.Space)
	}
	return compare(a.Local, b.Local)
})

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// selection answers a request for properties, resource after resource.
type selection struct {
	q     *request
	want  caldav.PropRequest
	stats caldav.Propstats
	data  func(r *resource, x *caldav.Writer) error // writes calendar-data, in reports only
	probe caldav.Writer
}

func (q *request) selection(want caldav.PropRequest) *selection {
	return &selection{q: q, want: want}
}

// tags are the properties of objects that their tag and name answer.
var tags = map[caldav.Name]bool{caldav.D("getetag"): true, caldav.D("getcontenttype"): true, caldav.D("resourcetype"): true}

// onlyTags reports whether what is asked for of objects, beside their data, is
// answered by that.
func (s *selection) onlyTags() bool {
	return s.want.Kind == caldav.Props && !slices.ContainsFunc(s.want.Names, func(n caldav.Name) bool { return !tags[n] && n != calendarData })
}

// members visits the objects of a collection with as much of them as is asked for.
func (s *selection) members(r *resource, visit func(*resource) error) error {
	list := s.q.s.calendar.List
	if s.onlyTags() {
		list = s.q.s.calendar.ListTags
	}
	return s.q.members(r, list, visit)
}

// of collects the properties of r for its response.
func (s *selection) of(r *resource) (*caldav.Propstats, error) {
	s.stats.Reset()
	var err error
	switch s.want.Kind {
	case caldav.Props:
		for _, n := range s.want.Names {
			if err = s.one(r, n); err != nil {
				return nil, err
			}
		}
	case caldav.AllProp:
		err = s.allprop(r)
	case caldav.PropName:
		err = s.propname(r)
	}
	return &s.stats, err
}

// one writes a property into the propstat of its status.
func (s *selection) one(r *resource, n caldav.Name) error {
	x := s.stats.At(200)
	if n == calendarData {
		if s.data == nil || r.kind&objects == 0 {
			s.stats.At(404).Empty(n) // RFC 4791 9.6: no property, known to reports only
			return nil
		}
		return s.data(r, x)
	}
	found, err := s.live(r, n, x)
	if err != nil || found {
		return err
	}
	if xml, ok := r.dead(n); ok {
		x.Fragment(xml)
		return nil
	}
	s.stats.At(404).Empty(n)
	return nil
}

var calendarData = caldav.C("calendar-data")

func (s *selection) live(r *resource, n caldav.Name, x *caldav.Writer) (found bool, err error) {
	p := live[n]
	if p == nil || p.where&r.kind == 0 {
		return false, nil
	}
	var attrs []string
	if p.set != nil && len(r.deadAll()) > 0 {
		attrs = r.language(n)
	}
	found = x.Property(n, func() bool {
		var ok bool
		ok, err = p.value(s.q, r, x)
		return ok && err == nil
	}, attrs...)
	return found, err
}

func (s *selection) allprop(r *resource) error {
	seen := map[caldav.Name]bool{}
	for _, n := range liveNames {
		if !live[n].all {
			continue
		}
		seen[n] = true
		if _, err := s.live(r, n, s.stats.At(200)); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.deadAll())) {
		n, ok := caldav.ParseClark(key)
		if !ok || seen[n] || r.lives(n) { // what has no such name has a property of its own
			continue
		}
		seen[n] = true
		s.stats.At(200).Fragment(r.deadAll()[key])
	}
	for _, n := range s.want.Names { // DAV:include
		if !seen[n] {
			if err := s.one(r, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *selection) propname(r *resource) error {
	x := s.stats.At(200)
	for _, n := range liveNames {
		s.probe = caldav.Writer{}
		found, err := s.live(r, n, &s.probe)
		if err != nil {
			return err
		}
		if found {
			x.Empty(n)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.deadAll())) {
		if n, ok := caldav.ParseClark(key); ok && !r.lives(n) {
			x.Empty(n)
		}
	}
	return nil
}

// dead is a property that a client left on the resource (RFC 4918 4.3).
func (r *resource) dead(n caldav.Name) (string, bool) {
	xml, ok := r.deadAll()[caldav.Clark(n)]
	return xml, ok
}

// lives reports whether the server itself knows the property on this resource.
func (r *resource) lives(n caldav.Name) bool { return live[n] != nil && live[n].where&r.kind != 0 }

// keepLanguage notes the language of a value that has its place in the row: an
// element without content stands for it among the dead properties.
func keepLanguage(dead map[string]string, n caldav.Name, value *caldav.Element) {
	delete(dead, caldav.Clark(n))
	if value != nil && value.Lang != "" && len(value.Lang) <= maxLanguage && len(dead) < maxProperties {
		dead[caldav.Clark(n)] = (&caldav.Element{Name: n, Lang: value.Lang}).Fragment()
	}
}

// maxLanguage is far longer than any language tag in use (RFC 5646 4.4.1: 35).
const maxLanguage = 100

// language of a value that a client set, which is given back with it (RFC 4918 4.3).
func (r *resource) language(n caldav.Name) []string {
	xml, ok := r.dead(n)
	if !ok {
		return nil
	}
	e, err := caldav.ParseElement([]byte(xml), caldav.Limits{})
	if err != nil || e.Lang == "" {
		return nil
	}
	return []string{"xml:lang", e.Lang}
}

func (r *resource) deadAll() map[string]string {
	switch {
	case r.kind&collections != 0:
		return r.coll.Properties
	case r.kind&objects != 0:
		return r.obj.Properties
	case r.kind == plain:
		return r.file.Properties
	}
	return r.props
}
