package calendar

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// Several people may have one event in view, and each sees their own: what
// the owner has classified is blanked for others, and alarms and transparency
// (TRANSP) belong to the one whom they ring and whose time it is. What a reader
// keeps with another's event is an iCalendar object beside it: components with
// RECURRENCE-ID, VALARM and TRANSP, and nothing else.

// reader is someone who looks at the objects of one collection.
type reader struct {
	s        *Service
	own      bool // sees what is stored
	full     bool // sees what is classified
	hides    bool // the owner wants what is classified not to be seen at all
	personal map[int64]store.Personal
}

// reader prepares the view of an actor on a collection.
func (s *Service) reader(tx *store.Tx, by account.Actor, c store.Collection, have acl.Access) (*reader, error) {
	v := &reader{s: s, own: by.Account == c.Account || c.Kind != store.Calendar, full: have >= acl.Act}
	if v.own {
		return v, nil
	}
	if err := v.asOwnerWants(tx, c.Account); err != nil {
		return nil, err
	}
	list, err := tx.PersonalIn(c.Account, c.ID, by.Account)
	if err != nil {
		return nil, fmt.Errorf("personal data in %s: %w", c.Name, err)
	}
	v.personal = make(map[int64]store.Personal, len(list))
	for _, p := range list {
		v.personal[p.Object] = p
	}
	return v, nil
}

// openToRead finds a collection that the actor may read, and the actor's view of it.
func (s *Service) openToRead(tx *store.Tx, by account.Actor, owner store.AccountID, name string) (store.Collection, *reader, error) {
	c, have, err := s.collection(tx, by, owner, name, acl.Read)
	if err != nil {
		return c, nil, err
	}
	v, err := s.reader(tx, by, c, have)
	return c, v, err
}

// readerOf is reader for one object.
func (s *Service) readerOf(tx *store.Tx, by account.Actor, c store.Collection, have acl.Access, object int64) (*reader, error) {
	v := &reader{s: s, own: by.Account == c.Account || c.Kind != store.Calendar, full: have >= acl.Act}
	if v.own {
		return v, nil
	}
	if err := v.asOwnerWants(tx, c.Account); err != nil {
		return nil, err
	}
	p, err := tx.PersonalOf(c.Account, c.ID, object, by.Account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err == nil {
		v.personal = map[int64]store.Personal{object: p}
	}
	return v, nil
}

// asOwnerWants finds out whether classified events are seen as busy time or not at all.
func (v *reader) asOwnerWants(tx *store.Tx, owner store.AccountID) error {
	if v.full {
		return nil
	}
	a, err := tx.Account(owner)
	if err != nil {
		return fmt.Errorf("preferences of account %d: %w", owner, err)
	}
	v.hides = preferencesOf(a).HidePrivate
	return nil
}

// sees tells whether an object is there for the reader.
func (v *reader) sees(body []byte) bool {
	if v.own || v.full || !v.hides || !mayBeClassified(body) {
		return true
	}
	cal, err := ical.ParseLimits(body, v.s.parseLimits())
	return err == nil && !classified(cal)
}

// seen keeps of some objects those that are there for the reader, in order, and
// gives the names of the others. It reads texts only for the few who hide something.
func (v *reader) seen(tx *store.Tx, list []store.Object) (kept []store.Object, hidden []string, err error) {
	if v.own || v.full || !v.hides {
		return list, nil, nil
	}
	kept = list[:0]
	for part := range slices.Chunk(list, bodiesAtOnce) {
		ids := make([]int64, len(part))
		for i, o := range part {
			ids[i] = o.ID
		}
		texts, err := tx.Bodies(part[0].Account, ids)
		if err != nil {
			return nil, nil, fmt.Errorf("read objects: %w", err)
		}
		for _, o := range part {
			if v.sees(texts[o.ID]) {
				kept = append(kept, o)
			} else {
				hidden = append(hidden, o.Name)
			}
		}
	}
	return kept, hidden, nil
}

// UnknownSize is the Size of an object whose text is made for its reader.
const UnknownSize = -1

// object gives an object the entity tag of this reader's view: another one than
// the owner's, since the octets may be others (RFC 9110 8.8.3). The owner's tag
// is a digest of all octets: who sees some of them only could try what fits the
// others. So this one says which change it was and nothing of its content.
func (v *reader) object(o *store.Object) {
	if v.own || o == nil {
		return
	}
	mode := "r"
	if v.full {
		mode = "a"
	}
	o.ETag = fmt.Sprintf(`"%x-%x-%x-%s%s"`, o.ID, o.Seq, o.Modified.UnixMicro(), mode, v.personal[o.ID].Tag)
	o.Size = UnknownSize
}

// body gives the text of an object as this reader may see it.
func (v *reader) body(o store.Object, body []byte) []byte {
	if v.own {
		return body
	}
	p, keeps := v.personal[o.ID]
	hasAlarm := bytes.Contains(body, []byte("VALARM")) || bytes.Contains(body, []byte("valarm"))
	hide := !v.full && mayBeClassified(body)
	comments := !v.full && slices.ContainsFunc(privateComments, func(name string) bool { return hasLine(body, name) })
	if !hide && !hasAlarm && !keeps && !comments {
		return body
	}
	cal, err := ical.ParseLimits(body, v.s.parseLimits())
	if err != nil {
		if hide || comments {
			return nil // rather nothing than what may be private
		}
		return body
	}
	if hide && classified(cal) {
		blankCalendar(cal)
	}
	if comments {
		for _, c := range cal.Main() {
			c.Remove(privateComments...)
		}
	}
	if hasAlarm || keeps {
		overlay(cal, p.Data)
	}
	return cal.Bytes()
}

// privateComments are what attendees tell the organizer alone
// (caldav-privatecomments): only they, and who acts for them, see it.
var privateComments = []string{"X-CALENDARSERVER-PRIVATE-COMMENT", "X-CALENDARSERVER-ATTENDEE-COMMENT"}

// whichOne tells the components of one object apart.
func whichOne(c *ical.Component) string { return c.Value("RECURRENCE-ID") }

// overlay puts a reader's own alarms and transparency in the place of the owner's.
func overlay(cal *ical.Calendar, data string) {
	mine := map[string]*ical.Component{}
	if data != "" {
		if p, err := ical.Parse([]byte(data)); err == nil {
			for _, c := range p.Components {
				mine[whichOne(c)] = c
			}
		}
	}
	for _, c := range cal.Main() {
		takeAlarms(c)
		m := mine[whichOne(c)]
		if m == nil {
			m = mine[""] // an occurrence changed later rings as its series does
		}
		if m == nil {
			continue
		}
		if t := m.Prop("TRANSP"); t != nil {
			c.Set("TRANSP", t.Value())
		}
		for a := range m.Children("VALARM") {
			c.Components = append(c.Components, a.Clone())
		}
	}
}

// takeAlarms removes the alarms of a component and gives them back.
func takeAlarms(c *ical.Component) (taken []*ical.Component) {
	c.Components = slices.DeleteFunc(slices.Clone(c.Components), func(a *ical.Component) bool {
		if a.Name != "VALARM" {
			return false
		}
		taken = append(taken, a)
		return true
	})
	return taken
}

// kept is what a change leaves with its writer.
type kept struct {
	writer account.Actor
	data   string // "" = nothing
}

// part takes from a change of another's calendar what belongs to the writer,
// and puts what belongs to the owner back: alarms, and TRANSP unless the writer
// acts for the owner.
func (s *Service) part(tx *store.Tx, ch *change, have acl.Access) error {
	if ch.by.Account == ch.coll.Account || ch.new == nil || ch.imp {
		return nil
	}
	cal, err := ical.ParseLimits(ch.new.data, s.parseLimits())
	if err != nil {
		return err
	}
	owners := map[string]*ical.Component{}
	if ch.old != nil {
		old, _, err := s.parse(tx, ch.old)
		if err != nil {
			return err
		}
		for _, c := range old.Main() {
			owners[whichOne(c)] = c
		}
	}
	mine := ical.New(s.o.ProdID)
	changed, keeps := false, false
	for _, c := range cal.Main() {
		m := ical.NewComponent(c.Name)
		if id := c.Value("RECURRENCE-ID"); id != "" {
			m.Set("RECURRENCE-ID", id)
		}
		m.Components = takeAlarms(c)
		keeps = keeps || len(m.Components) > 0
		changed = changed || len(m.Components) > 0
		theirs := owners[whichOne(c)]
		if theirs == nil {
			theirs = owners[""]
		}
		if theirs != nil {
			for a := range theirs.Children("VALARM") {
				c.Components = append(c.Components, a.Clone())
				changed = true
			}
			if have < acl.Act { // who does not see these did not take them out
				for _, name := range privateComments {
					if changed = c.Remove(name) > 0 || changed; theirs.Prop(name) != nil {
						changed = true
					}
					for q := range theirs.Props(name) {
						c.Add(q.Clone())
					}
				}
			}
			given, is := c.Value("TRANSP"), theirs.Value("TRANSP")
			if have < acl.Act && !strings.EqualFold(orOpaque(given), orOpaque(is)) {
				m.Set("TRANSP", orOpaque(given))
				keeps, changed = true, true
				if c.Remove("TRANSP"); is != "" {
					c.Set("TRANSP", is)
				}
			}
		}
		mine.Components = append(mine.Components, m)
	}
	k := &kept{writer: ch.by}
	if keeps {
		k.data = string(mine.Bytes())
	}
	ch.kept = k
	if !changed {
		return nil
	}
	d, err := s.read(cal.Bytes(), false)
	if err != nil {
		return err
	}
	ch.new = d
	return nil
}

func orOpaque(transp string) string {
	if transp == "" {
		return "OPAQUE" // RFC 5545 3.8.2.7
	}
	return transp
}

// keepPersonal stores what a writer keeps with the object, where that is something new.
func (s *Service) keepPersonal(tx *store.Tx, ch change, o *store.Object) error {
	k := ch.kept
	if k == nil {
		return nil
	}
	have, err := tx.PersonalOf(o.Account, o.Collection, o.ID, k.writer.Account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if have.Data == k.data {
		return nil
	}
	tag := strings.Trim(tagOf(have.Tag, k.data, strconv.FormatInt(o.Seq, 10)), `"`)[:8]
	return tx.SetPersonal(store.Personal{Account: o.Account, Collection: o.Collection, Object: o.ID, Reader: k.writer.Account, Tag: tag, Data: k.data})
}

// checkView is [Precondition.check] with the entity tag that the actor sees.
func (s *Service) checkView(tx *store.Tx, by account.Actor, c store.Collection, have acl.Access, o *store.Object, cond Precondition) error {
	if o == nil || by.Account == c.Account {
		return cond.check(o)
	}
	v, err := s.readerOf(tx, by, c, have, o.ID)
	if err != nil {
		return err
	}
	seen := *o
	v.object(&seen)
	return cond.check(&seen)
}

// checkClass refuses that others change what they cannot see.
func (s *Service) checkClass(tx *store.Tx, have acl.Access, o *store.Object) error {
	if o == nil || have >= acl.Act {
		return nil
	}
	cal, _, err := s.parse(tx, o)
	if err != nil {
		return err
	}
	if classified(cal) {
		return problem.New(problem.NeedPrivileges, "This event is private; only the owner of the calendar can change it.").At(o.Name)
	}
	return nil
}
