package calendar

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/acl"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
)

// importBatch objects are written in one transaction.
const importBatch = 200

// ImportRequest takes a stream of iCalendar data into a calendar.
type ImportRequest struct {
	By         account.Actor
	Owner      store.AccountID
	Collection string // must exist
	Data       []byte
	Reader     io.Reader // instead of Data, for what is too large to hold
	Source     string    // file name for the outcomes
}

// Import states.
const (
	ImportCreated   = "created"
	ImportUpdated   = "updated"
	ImportUnchanged = "unchanged" // it is there already
	ImportSkipped   = "skipped"   // what is there is newer
	ImportRefused   = "refused"
)

// Imported is what became of one object of an import.
type Imported struct {
	State      string
	UID        string
	Component  string
	Source     string
	Line       int    // where the object begins in the source, 0 = not known
	Reason     string // a sentence; "" where nothing is to be said
	Collection string // where it is now
	Name       string
}

// Import reads a stream of VCALENDARs with any number of objects and METHODs,
// and stores each object on its own, some hundred in a transaction. It tells
// nobody: imported meetings are facts, not invitations. What is there already
// stays as it is; importing the same again changes nothing. Each object has an
// outcome; a broken one does not stop the others. An error ends the sequence:
// rights, the calendar, the store. Nothing happens until the sequence is
// ranged over.
func (s *Service) Import(ctx context.Context, req ImportRequest) iter.Seq2[Imported, error] {
	return func(yield func(Imported, error) bool) {
		in := req.Reader
		if in == nil {
			in = bytes.NewReader(req.Data)
		}
		if err := s.importAllowed(ctx, req); err != nil {
			yield(Imported{Source: req.Source}, err)
			return
		}
		r := ical.NewReader(in)
		var batch []piece
		seen := map[string]bool{} // UIDs of this source that were dealt with
		flush := func() bool {
			done, err := s.importBatch(ctx, req, batch, seen)
			batch = batch[:0]
			for _, d := range done {
				if !yield(d, nil) {
					return false
				}
			}
			if err != nil {
				yield(Imported{Source: req.Source}, err)
				return false
			}
			return true
		}
		for n := 0; ; n++ {
			cal, err := r.Next()
			if errors.Is(err, io.EOF) {
				if n == 0 && !yield(Imported{State: ImportRefused, Source: req.Source, Reason: "There is no calendar in it."}, nil) {
					return
				}
				break
			}
			if err != nil {
				var pe *ical.ParseError
				if !errors.As(err, &pe) {
					if !flush() {
						return
					}
					yield(Imported{Source: req.Source}, fmt.Errorf("read %s: %w", req.Source, err))
					return
				}
				batch = append(batch, piece{out: Imported{State: ImportRefused, Line: pe.Line, Reason: problem.Of(unreadable(err)).Sentence}})
				break // the reader has lost its place
			}
			for _, p := range s.pieces(cal) {
				if batch = append(batch, p); len(batch) >= importBatch && !flush() {
					return
				}
			}
		}
		flush()
	}
}

func (s *Service) importAllowed(ctx context.Context, req ImportRequest) error {
	return s.store.View(ctx, func(tx *store.Tx) error {
		c, _, err := s.collection(tx, req.By, req.Owner, req.Collection, acl.Write)
		if err == nil && c.Kind != store.Calendar {
			err = problem.New(problem.MethodNotAllowed, "Nothing can be imported into the scheduling %s.", c.Kind)
		}
		return err
	})
}

// piece is one object of the input: a draft, or a refusal.
type piece struct {
	out Imported
	d   *draft
}

// notEvents are methods whose content is a message about an event, not the event.
var notEvents = []string{"REPLY", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"}

func (s *Service) pieces(cal *ical.Calendar) []piece {
	method := cal.Method()
	if len(cal.Main()) == 0 {
		return []piece{{out: Imported{State: ImportRefused, Line: cal.Line(), Reason: "The calendar is empty: it holds no event, task or journal entry."}}}
	}
	var out []piece
	for _, one := range cal.SplitByUID() {
		p := piece{out: Imported{UID: one.UID(), Component: one.Kind()}}
		for _, c := range one.Main() {
			p.out.Line = c.Line()
			if p.out.Component == "" {
				p.out.Component = c.Name
			}
			break
		}
		refuse := func(reason string) {
			p.out.State, p.out.Reason = ImportRefused, reason
		}
		switch {
		case slices.Contains(notEvents, method):
			refuse(fmt.Sprintf("It is a scheduling message (METHOD:%s), not an event. Let it come by mail, or use message receive.", method))
		default:
			one.Remove("METHOD")
			if p.out.UID == "" {
				nameless(one)
				p.out.UID = one.UID()
			}
			d, err := s.importDraft(one)
			if err != nil {
				refuse(problem.Of(err).Sentence)
				break
			}
			p.d = d
		}
		out = append(out, p)
	}
	return out
}

func (s *Service) importDraft(one *ical.Calendar) (*draft, error) {
	data := one.Bytes()
	if len(data) > s.limits.ResourceSize {
		return nil, problem.New(problem.TooLarge, "The object is %d octets long; %d are allowed.", len(data), s.limits.ResourceSize)
	}
	if len(one.Repairs) > 0 || len(clean(data)) != len(data) {
		// What was read leniently is stored so that everyone can read it.
		one.Normalize()
		data = clean(one.Bytes())
		cal, err := ical.ParseLimits(data, s.parseLimits())
		if err != nil {
			return nil, unreadable(err)
		}
		one = cal
	}
	d, err := s.check(one, true)
	if err != nil {
		return nil, err
	}
	d.data, d.etag = data, etag(data)
	return d, nil
}

// nameless gives components without UID one that is made of their content, so
// that the same input is the same object again.
func nameless(cal *ical.Calendar) {
	sum := sha256.Sum256(cal.Bytes())
	for _, c := range cal.Main() {
		if strings.TrimSpace(c.Text("UID")) == "" {
			c.Set("UID", "imported-"+hex.EncodeToString(sum[:12]))
		}
	}
}

func (s *Service) importBatch(ctx context.Context, req ImportRequest, batch []piece, before map[string]bool) ([]Imported, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	var out []Imported
	now := make(map[string]bool, len(batch))
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		out = make([]Imported, 0, len(batch))
		seen := func(uid string) bool { return before[uid] || now[uid] }
		clear(now) // this function may run twice
		target, _, err := s.collection(tx, req.By, req.Owner, req.Collection, acl.Write)
		if err != nil {
			return err
		}
		all, err := tx.Collections(req.Owner)
		if err != nil {
			return fmt.Errorf("collections of account %d: %w", req.Owner, err)
		}
		for _, p := range batch {
			p.out.Source = req.Source
			if p.d != nil {
				if err := s.importOne(tx, req, target, all, seen(p.d.uid), &p); err != nil {
					if problem.Of(err).Condition == problem.Internal {
						return err
					}
					p.out.State, p.out.Reason = ImportRefused, problem.Of(err).Sentence
				}
				now[strings.Clone(p.d.uid)] = true // the UID alone, not the text that it lies in
			}
			out = append(out, p.out)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", req.Source, err)
	}
	maps.Copy(before, now)
	return out, nil
}

// importOne stores one object of an import: joined with the one that has its UID,
// wherever in the home that lies, else as a new one in the target.
func (s *Service) importOne(tx *store.Tx, req ImportRequest, target store.Collection, all []store.Collection, seen bool, p *piece) error {
	same, err := tx.ObjectsByUID(req.Owner, p.d.uid)
	if err != nil {
		return fmt.Errorf("look for UID %s: %w", p.d.uid, err)
	}
	ch := change{by: req.By, coll: target, new: p.d, imp: true}
	for i := range same {
		if same[i].Collection == target.ID || ch.old == nil {
			ch.old = &same[i]
		}
	}
	if ch.old != nil {
		i := slices.IndexFunc(all, func(c store.Collection) bool { return c.ID == ch.old.Collection })
		if i < 0 {
			return fmt.Errorf("calendar %d of object %d is not there", ch.old.Collection, ch.old.ID)
		}
		ch.coll, ch.name = all[i], ch.old.Name
		p.out.Collection, p.out.Name = ch.coll.Name, ch.name
		if ch.coll.ID != target.ID { // one UID, one event in a home, however it came there
			p.out.Reason = fmt.Sprintf("It is in the calendar %s, and stays there; move it if it belongs elsewhere.", title(ch.coll))
		}
		if ch.old.ETag == p.d.etag {
			p.out.State = ImportUnchanged
			return nil
		}
		stored, _, err := s.parse(tx, ch.old)
		if err != nil {
			return err
		}
		switch merged, contained := combine(stored, p.d.cal); {
		case contained:
			p.out.State = ImportUnchanged
			return nil
		case merged != nil:
			if p.d, err = s.importDraft(merged); err != nil {
				return err
			}
			ch.new = p.d
		case older(p.d.cal, stored) || p.d.cal.Master() == nil && stored.Master() != nil:
			p.out.State, p.out.Reason = ImportSkipped, fmt.Sprintf("A newer version is already in the calendar %s.", title(ch.coll))
			return nil
		case seen && !older(stored, p.d.cal):
			p.out.State, p.out.Reason = ImportSkipped, "The source holds this event more than once; the first one counts."
			return nil
		}
	} else {
		if len(target.Components) > 0 && !slices.Contains(target.Components, p.d.kind) {
			// Tasks of a mixed file go where tasks are.
			i := slices.IndexFunc(all, func(c store.Collection) bool {
				return c.Kind == store.Calendar && slices.Contains(c.Components, p.d.kind)
			})
			if i < 0 {
				return problem.New(problem.UnsupportedComponent, "Neither the calendar %s nor any other of this account holds %s.", title(target), p.d.kind)
			}
			ch.coll = all[i]
			p.out.Reason = fmt.Sprintf("It went to the calendar %s: %s holds no %s.", title(ch.coll), title(target), p.d.kind)
		}
		if ch.name, err = freeName(tx, ch.coll, p.d.uid); err != nil {
			return err
		}
	}
	e, err := s.apply(tx, ch)
	if err != nil {
		return err
	}
	p.out.Collection, p.out.Name = ch.coll.Name, e.object.Name
	switch {
	case e.created:
		p.out.State = ImportCreated
	case e.unchanged:
		p.out.State = ImportUnchanged
	default:
		p.out.State = ImportUpdated
	}
	return nil
}

// combine joins parts of one series that come apart: some programs write each
// changed occurrence into a VCALENDAR of its own. contained says that all of
// in is in stored already; without a merged calendar in takes the place of
// stored, or not.
func combine(stored, in *ical.Calendar) (merged *ical.Calendar, contained bool) {
	if in.Kind() != stored.Kind() {
		return nil, false
	}
	contained = true
	for _, c := range in.Main() {
		if i := partOf(stored, c); i < 0 || !sameText(stored.Components[i], c) {
			contained = false
		}
	}
	if contained {
		return nil, true
	}
	if in.Master() != nil && stored.Master() != nil {
		return nil, false
	}
	into, from := stored.Clone(), in
	if in.Master() != nil {
		into, from = in.Clone(), stored
	}
	changed := in.Master() != nil
	for _, c := range from.Overrides() {
		switch i := partOf(into, c); {
		case into.Master() != nil && version(into.Master()).sequence > version(c).sequence:
			// The series was rescheduled since: RFC 5546 4.4.7.
		case i < 0:
			changed = true
			into.Components = append(into.Components, c.Clone())
		case version(c).after(version(into.Components[i])):
			changed = true
			into.Components[i] = c.Clone()
		}
	}
	if !changed {
		return nil, false
	}
	have := map[string]bool{}
	for c := range into.Children("VTIMEZONE") {
		have[c.Text("TZID")] = true
	}
	for c := range from.Children("VTIMEZONE") {
		if !have[c.Text("TZID")] {
			into.Components = append([]*ical.Component{c.Clone()}, into.Components...)
		}
	}
	return into, false
}

// partOf finds the component of the same occurrence (or the master), by its
// words; -1 when there is none.
func partOf(cal *ical.Calendar, c *ical.Component) int {
	return slices.IndexFunc(cal.Components, func(o *ical.Component) bool {
		return o.Name == c.Name && occurrenceKey(o) == occurrenceKey(c)
	})
}

func occurrenceKey(c *ical.Component) string {
	p := c.Prop("RECURRENCE-ID")
	if p == nil {
		return ""
	}
	return p.Value() + ";" + p.Param("TZID")
}

func sameText(a, b *ical.Component) bool {
	text := func(c *ical.Component) []byte {
		cal := ical.New("")
		cal.Properties, cal.Components = nil, []*ical.Component{c}
		return cal.Bytes()
	}
	return bytes.Equal(text(a), text(b))
}

// revision orders versions of an object: RFC 5546 2.1.5, and LAST-MODIFIED for
// what a person changed without SEQUENCE.
type revision struct {
	sequence int
	stamp    time.Time
}

func (v revision) after(w revision) bool {
	return v.sequence > w.sequence || v.sequence == w.sequence && v.stamp.After(w.stamp)
}

func version(c *ical.Component) revision {
	var v revision
	if p := c.Prop("SEQUENCE"); p != nil {
		v.sequence, _ = p.Int()
	}
	for _, name := range []string{"LAST-MODIFIED", "DTSTAMP"} {
		if p := c.Prop(name); p != nil {
			if t, err := p.Time(); err == nil {
				v.stamp = t.Wall
				break
			}
		}
	}
	return v
}

// older reports whether a is an earlier version than b.
func older(a, b *ical.Calendar) bool {
	newest := func(cal *ical.Calendar) revision {
		var v revision
		for _, c := range cal.Main() {
			if w := version(c); w.after(v) {
				v = w
			}
		}
		return v
	}
	return newest(b).after(newest(a))
}

// freeName is a name for a new object, made of its UID.
func freeName(tx *store.Tx, c store.Collection, uid string) (string, error) {
	for name := range namesOf(uid) {
		o, err := object(tx, c, name)
		if err != nil {
			return "", err
		}
		if o == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("no free name for %s in %s", uid, c.Name)
}

// namesOf are names to try for an object: one of them is free, since the
// later ones are hashes.
func namesOf(uid string) iter.Seq[string] {
	return func(yield func(string) bool) {
		name := nameOf(uid)
		for i := 0; i < 3 && yield(name); i++ {
			sum := sha256.Sum256([]byte(name + uid))
			name = hex.EncodeToString(sum[:16]) + ".ics"
		}
	}
}

// nameOf makes a URL segment of a UID: itself when it is plain, else a hash.
func nameOf(uid string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@"
	if uid != "" && len(uid) <= 200 && strings.Trim(uid, plain) == "" && !strings.HasPrefix(uid, ".") {
		return uid + ".ics"
	}
	sum := sha256.Sum256([]byte(uid))
	return hex.EncodeToString(sum[:16]) + ".ics"
}
