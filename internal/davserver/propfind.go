package davserver

import (
	"slices"
	"strings"

	"github.com/convene-cal/convene/caldav"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// propfind is RFC 4918 9.1.
func (q *request) propfind() error {
	// A body that is not read is not asked for (Expect: 100-continue).
	d, err := q.depth(depthInfinity)
	if err != nil {
		return err
	}
	want, err := readXML(q, caldav.ParsePropFind)
	if err != nil {
		return err
	}
	r, err := q.find(q.at)
	if err != nil {
		return err
	}
	if r.kind&objects == 0 && (r.kind != plain || r.file.Directory) {
		if d == depthInfinity {
			return problem.New(finiteDepth, "PROPFIND works with Depth 0 and 1; ask level by level.")
		}
		q.collectionLocation(r)
	}
	if d == depth1 && r.kind&(calendarColl|inbox) != 0 {
		if err := q.hold(weightOfReport); err != nil {
			return err
		}
	}
	m := q.multistatus()
	s := q.selection(want)
	respond := func(r *resource) error {
		p, err := s.of(r)
		if err == nil {
			m.Response(r.href(), p)
		}
		return err
	}
	if !(q.prefer.noRoot && d == depth1) {
		if err := respond(r); err != nil {
			return m.finish("", err)
		}
	} else {
		q.applied("depth-noroot")
	}
	switch {
	case d == depth1 && r.kind&(calendarColl|inbox) != 0:
		err = s.members(r, respond)
	case d == depth1 && r.kind&objects == 0 && (r.kind != plain || r.file.Directory):
		err = q.children(r, respond)
	}
	return m.finish("", err)
}

// collectionLocation tells a client that left the slash away where it is (RFC 4918 5.2).
func (q *request) collectionLocation(r *resource) {
	if !r.slash {
		q.w.Header().Set("Content-Location", r.href())
	}
}

// proppatch is RFC 4918 9.2: all of it or nothing.
func (q *request) proppatch() error {
	steps, err := readXML(q, caldav.ParsePropPatch)
	if err != nil {
		return err
	}
	r, err := q.find(q.at)
	if err != nil {
		return err
	}
	if _, err := q.checkIf(); err != nil {
		return err
	}
	edit := &edit{q: q, steps: steps, results: make([]error, len(steps))}
	switch {
	case r.kind&collections != 0:
		err = edit.collection(r)
	case r.kind&objects != 0:
		err = edit.object(r)
	case r.kind&(principal|home) != 0:
		err = edit.account(r)
	case r.kind == proxy:
		err = edit.proxyMembers(r)
	case r.kind == plain:
		err = q.s.calendar.SetFileProperties(q.ctx, q.by, r.owner.ID, r.path, func(dead map[string]string) error {
			clear(edit.results)
			edit.apply(plain, nil, dead, nil)
			return edit.verdict()
		})
	default:
		edit.refuseAll()
	}
	if err != nil && !edit.failed() {
		return err
	}
	if q.prefer.minimal && !edit.failed() { // RFC 8144 2.2
		q.applied("return=minimal")
		q.w.Header().Set("Content-Length", "0")
		q.w.WriteHeader(200)
		return nil
	}
	m := q.multistatus()
	m.Response(r.href(), edit.propstats())
	return m.finish("", nil)
}

// edit is a PROPPATCH, or the properties of a MKCALENDAR, being applied.
type edit struct {
	q       *request
	steps   []caldav.Instruction
	results []error
	making  bool // the collection does not exist yet: what is protected later may be set
}

func (e *edit) failed() bool {
	return slices.ContainsFunc(e.results, func(err error) bool { return err != nil })
}

// collection applies the steps to a collection in one transaction. Its function
// may run twice, so the results start over with it.
func (e *edit) collection(r *resource) error {
	defaultCalendar := ""
	_, err := e.q.s.calendar.UpdateCollection(e.q.ctx, e.q.by, r.owner.ID, r.coll.Name, func(c *store.Collection) error {
		clear(e.results)
		defaultCalendar = ""
		e.apply(r.kind, c, c.Properties, func(v *caldav.Element) (err error) {
			defaultCalendar, err = e.q.defaultCalendarOf(v)
			return err
		})
		return e.verdict()
	})
	if err != nil || defaultCalendar == "" {
		return err
	}
	// The rest is done; this one has its own place and its own conditions.
	if err := e.q.s.calendar.SetDefaultCalendar(e.q.ctx, e.q.by, r.owner.ID, defaultCalendar); err != nil {
		for i, s := range e.steps {
			if s.Value.Name == scheduleDefaultCalendar {
				e.results[i] = err
			}
		}
		return err
	}
	return nil
}

// object applies the steps to the properties that clients left on an object.
func (e *edit) object(r *resource) error {
	ref := calendar.Ref{Owner: r.owner.ID, Collection: r.coll.Name, Name: r.name}
	return e.q.s.calendar.SetProperties(e.q.ctx, e.q.by, ref, func(dead map[string]string) error {
		clear(e.results)
		e.apply(r.kind, nil, dead, nil)
		return e.verdict()
	})
}

// account applies the steps to a principal or home, whose properties are kept
// with the account.
func (e *edit) account(r *resource) error {
	return e.q.s.calendar.SetHomeProperties(e.q.ctx, e.q.by, r.owner.ID, func(all map[string]string) error {
		clear(e.results)
		own := deadOf(r.kind, all)
		had := len(own)
		e.apply(r.kind, nil, own, nil)
		if err := e.verdict(); err != nil || had == 0 && len(own) == 0 {
			return err
		}
		for key := range deadOf(r.kind, all) {
			delete(all, deadKey(r.kind)+key)
		}
		for key, xml := range own {
			all[deadKey(r.kind)+key] = xml
		}
		return nil
	})
}

// deadKey tells the properties of a principal from those of the home, which
// are kept together.
func deadKey(k kind) string {
	if k == principal {
		return "principal"
	}
	return ""
}

// deadOf are the properties of a principal or home among those of the account.
func deadOf(k kind, all map[string]string) map[string]string {
	own := map[string]string{}
	for key, xml := range all {
		if rest, ok := strings.CutPrefix(key, deadKey(k)); ok && strings.HasPrefix(rest, "{") {
			own[rest] = xml
		}
	}
	return own
}

// verdict makes the door drop everything when one step failed.
func (e *edit) verdict() error {
	if e.failed() {
		return problem.New(problem.InvalidProperty, "Nothing was changed.")
	}
	return nil
}

// maxProperties that clients may leave on one collection, and the octets of each.
const (
	maxProperties    = 200
	maxPropertyValue = 64 << 10
)

// apply runs the steps in order on a row and on the dead properties beside it.
// Principals and homes have no row that clients can change: c is nil.
func (e *edit) apply(k kind, c *store.Collection, dead map[string]string, setDefault func(*caldav.Element) error) {
	for i, s := range e.steps {
		n := s.Value.Name
		value := s.Value
		if s.Remove {
			value = nil
		}
		row := live[n]
		switch {
		case n == scheduleDefaultCalendar && k == inbox && setDefault != nil:
			e.results[i] = setDefault(value)
		case e.making && n == caldav.D("resourcetype"):
		case e.making && n == caldav.C("supported-calendar-component-set"):
			e.results[i] = setComponents(c, value)
		case row != nil && row.where&k != 0 && row.set != nil && c != nil:
			if e.results[i] = row.set(e.q, c, value); e.results[i] == nil {
				keepLanguage(dead, n, value)
			}
		case row != nil && (row.where&k != 0 || row.set == nil), n == calendarData:
			e.results[i] = problem.New(problem.ProtectedProperty, "%s is kept by the server and cannot be set.", n.Local)
		case s.Remove: // RFC 4918 14.23: removing what is not there is no error
			delete(dead, caldav.Clark(n))
		default:
			xml := value.Fragment()
			if len(xml) > maxPropertyValue || len(dead) >= maxProperties {
				e.results[i] = problem.New(problem.InsufficientStorage, "A collection keeps at most %d properties of at most %d octets.", maxProperties, maxPropertyValue)
				continue
			}
			dead[caldav.Clark(n)] = xml
		}
	}
}

// refuseAll is for resources that keep no properties of clients.
func (e *edit) refuseAll() {
	for i, s := range e.steps {
		if live[s.Value.Name] != nil {
			e.results[i] = problem.New(problem.ProtectedProperty, "%s is kept by the server and cannot be set.", s.Value.Name.Local)
		} else {
			e.results[i] = problem.New(problem.Forbidden, "No properties can be kept here.")
		}
	}
}

// propstats tells each step's fate: what would have worked failed with the
// rest (424, RFC 4918 9.2.1).
func (e *edit) propstats() *caldav.Propstats {
	failed := e.failed()
	p := &caldav.Propstats{}
	seen := map[caldav.Name]int{}
	for i, s := range e.steps {
		if j, again := seen[s.Value.Name]; again && (e.results[i] == nil || e.results[j] != nil) {
			continue // set and removed in one request: told once
		}
		seen[s.Value.Name] = i
		switch err := e.results[i]; {
		case err != nil:
			why := problemOf(err)
			o := outcomeOf(why)
			p.Refused(o.status, o.element, why.Sentence).Empty(s.Value.Name)
		case failed:
			p.At(424).Empty(s.Value.Name)
		default:
			p.At(200).Empty(s.Value.Name)
		}
	}
	return p
}
