package itip

import (
	"fmt"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
)

// Decision is what became of a message.
type Decision string

// The decisions. Only Applied changes the object; Held waits for a person or
// for another message; Ignored has nothing to do; Rejected must not be done.
const (
	Applied   Decision = "applied"
	Unchanged Decision = "unchanged"
	Ignored   Decision = "ignored"
	Held      Decision = "held"
	Rejected  Decision = "rejected"
)

// Reasons of a [Result].
const (
	ReasonAdded           = "added"            // a new event
	ReasonUpdated         = "updated"          // a newer version
	ReasonStatus          = "status"           // only the roster or an answer of others
	ReasonCancelled       = "cancelled"        // all, or an occurrence
	ReasonAnswered        = "answered"         // an attendee's answer
	ReasonFuture          = "future-sequence"  // an answer to a version we do not know of; applied
	ReasonDuplicate       = "duplicate"        // known already
	ReasonOutdated        = "outdated"         // a newer version is stored
	ReasonPreviousTime    = "previous-time"    // an answer to a time that has changed since
	ReasonUnknownUID      = "unknown-uid"      // nothing stored that this is about
	ReasonUnknownInstance = "unknown-instance" // the series has no such occurrence
	ReasonDeleted         = "deleted"          // the user has deleted the event
	ReasonWaiting         = "waiting-for-request"
	ReasonNotAdded        = "not-added"         // policy: a person decides
	ReasonNotInvited      = "not-invited"       // the user is not among the attendees
	ReasonPartyCrasher    = "party-crasher"     // the sender is not among the attendees
	ReasonOrganizer       = "organizer-changed" // another organizer than the stored
	ReasonForwarded       = "forwarded"         // sent by somebody else than the organizer
	ReasonDesignate       = "sent-by"           // sent by a designate without consent on record
	ReasonNotOrganizer    = "not-organizer"     // spoofed or mistaken: only the organizer may
	ReasonNotAttendee     = "not-attendee"      // spoofed or mistaken: only the attendee may
	ReasonOwnEvent        = "own-event"         // we organize it ourselves
	ReasonNotOurs         = "not-our-event"     // an answer to an event of somebody else
	ReasonAmbiguous       = "ambiguous"         // who answers cannot be told
	ReasonPublished       = "published"         // for import only
	ReasonCounter         = "counter-proposal"
	ReasonDeclined        = "proposal-declined"
	ReasonAddition        = "addition" // METHOD:ADD
	ReasonRefreshed       = "refreshed"
	ReasonUnsupported     = "unsupported-method"
	ReasonInvalid         = "invalid"
	ReasonFailed          = "request-failed" // REQUEST-STATUS of class 3, 4 or 5
	ReasonCircle          = "delegated-in-a-circle"
	ReasonAccepted        = "proposal-accepted"
	ReasonFreeBusy        = "free-busy"
	ReasonCounterRefused  = "no-proposals" // the event takes none; the sender is told
	ReasonNoDelegation    = "no-delegation"
	ReasonTooMany         = "too-many-attendees"
)

// Arrival is a message that came for a calendar's owner.
type Arrival struct {
	Stored  *ical.Calendar // the object of that UID in the owner's calendars; nil when there is none
	Memory  Memory
	Message *ical.Calendar // one UID, one kind of component
	Method  Method         // as the transport has it; "" = the object's own
	User    []ical.Address // all addresses of the owner
	// From is the acting address as the transport authenticated it: it must be
	// the organizer's or the attendee's own. "" = trusted, not checked.
	From ical.Address
	// Invited is the attendee that an answer belongs to whatever address it names,
	// because it came to an address made for that attendee and event alone.
	Invited  ical.Address
	Received time.Time // when it arrived (or was sent, by the mail's Date)
	AutoAdd  bool      // invitations from this sender go into the calendar unasked
	Approved bool      // a person has looked at it and wants it: what was held for a decision is done
	// Sender is who sent what is approved, where that is known. Nothing is checked
	// by it; but who passes an invitation on writes DTSTAMP by a clock of their own.
	Sender ical.Address

	Deleted bool // the owner had this object and deleted it
	// Last is what was deleted, where it is known: for the organizer, to whom
	// answers still come.
	Last *ical.Calendar
	// Told is for what was deleted, of which nothing else is remembered: it reports
	// whether somebody is not to be told of the end whom a delegator names, since they
	// know of it, or the delegator has named enough people. nil = all are told.
	Told func(delegator, to ical.Address) bool
	// Waiting are messages of this UID that Apply held with ReasonWaiting
	// before, oldest first; they are played after this one. See the package's
	// documentation.
	Waiting []*ical.Calendar
	Local   func(ical.Address) bool // as in [Change]: whose copies Result.Send refreshes; nil = nobody's
	Zone    *tz.Zone                // the owner's, for floating times; nil = UTC
	// OrganizerZone is the zone that times of an organizer's other events stand
	// in, for a message whose own name none ([Floating]); nil = not known.
	OrganizerZone func(organizer ical.Address) *tz.Zone
	// Busy gives the owner's busy time between two instants to somebody who asks
	// for it (RFC 5546 3.3.2), as far as they may know it; nil = silence.
	Busy func(asker ical.Address, from, to time.Time) (Disclosure, []freebusy.Period)
	// Consent says that the owner, or who the message is from, lets a designate
	// act for them (RFC 6047 3: SENT-BY needs a mechanism); nil = nobody: their
	// messages are held.
	Consent func(principal, designate ical.Address) bool
	// Member says that an address belongs to a group that is invited (RFC 5546
	// 3.7.2), so that its answer lists it; nil = the organizer decides.
	Member func(group, member ical.Address) bool
	// Refreshes says whose program answers REFRESH: they are asked for the whole
	// when what came is incomplete (RFC 5546 4.7.2); nil = nobody's.
	Refreshes func(organizer ical.Address) bool
	// Crashers says what becomes of answers by people who were not invited.
	Crashers CrasherPolicy
	// NoDelegation says that guests of the owner's events may not send others in
	// their place (RFC 5546 3.2.2.3 lets one restrict it).
	NoDelegation bool
	// MaxAttendees bounds the people of one component; 0 = no bound.
	MaxAttendees int
}

// Result is what became of a message.
type Result struct {
	Decision Decision
	Reason   string // a Reason constant
	Sentence string // for the user and the administrator
	// Object is what to store; nil unless Applied. (A Held proposal has one too
	// where it carries an answer, as Outlook's do.) Memory is to be kept with it,
	// or with the stored object, whatever the decision.
	Object        *ical.Calendar
	Memory        Memory
	Created       bool
	TagChanged    bool // Schedule-Tag must change (RFC 6638 3.2.10)
	Notify        bool // inbox item, and show it to the user
	Send          []Message
	Changes       []Difference
	Attendee      ical.Address // who answered, proposed or asked
	PartStat      string       // the answer
	RequestStatus string       // code for the sender (RFC 5546 3.6), for transports that carry one
	FreeBusy      *FreeBusy    // what a VFREEBUSY message says
	Outdated      bool         // a proposal that answers an older version of the event: ask before taking it up
	Incomplete    bool         // the copy lacks something that the organizer has
	Settled       []Settled    // what became of Arrival.Waiting
}

// Settled is the fate of one waiting message that waits no longer.
type Settled struct {
	Index    int // in Arrival.Waiting
	Decision Decision
	Reason   string
	Sentence string
}

// applying is one run of [Apply].
type applying struct {
	a      Arrival
	me     people
	from   people // empty = trusted
	method Method
	stored *object
	msg    *object
	mem    Memory
	res    *Result

	floating *string         // what floatingZone found, nil before it was asked
	passedOn **ical.Property // what delegator found, nil before it was asked
}

// Apply says what a message means for the object of its UID. It changes
// nothing it is given. A message that cannot be understood gives a Rejected
// result; the error is for arguments that make no sense.
func Apply(a Arrival) (*Result, error) {
	if a.Message == nil {
		return nil, fmt.Errorf("itip: no message to apply")
	}
	r := applyOne(a)
	if len(a.Waiting) > 0 {
		playWaiting(a, r)
	}
	return r, nil
}

// playWaiting applies what had waited to what the message led to, again as long
// as one of them makes way for another.
func playWaiting(a Arrival, r *Result) {
	next := a
	next.Waiting, next.Method, next.Approved = nil, "", false
	settled := map[int]bool{}
	for progress := true; progress; {
		progress = false
		for i, m := range a.Waiting {
			if settled[i] {
				continue
			}
			next.Stored, next.Memory, next.Message = a.Stored, r.Memory, m
			// When it came it was checked that its own sender sent it. Whether that
			// is the organizer of the event shows only now.
			if next.From = waitedFrom(m, a.Zone); next.From == "" {
				continue
			}
			if r.Object != nil {
				next.Stored = r.Object
			}
			if next.Stored == nil {
				return
			}
			w := applyOne(next)
			if w.Decision == Held && w.Reason == ReasonWaiting {
				continue
			}
			settled[i], progress = true, true
			r.Settled = append(r.Settled, Settled{Index: i, Decision: w.Decision, Reason: w.Reason, Sentence: w.Sentence})
			r.Memory, r.Send = w.Memory, append(r.Send, w.Send...)
			if w.Decision != Applied {
				continue
			}
			r.Object, r.TagChanged = w.Object, r.TagChanged || w.TagChanged
			r.Changes = append(r.Changes, w.Changes...)
			if r.Decision != Applied {
				r.Decision, r.Reason, r.Sentence, r.Notify = Applied, w.Reason, w.Sentence, w.Notify
			}
			if r.Created && dead(newObject(r.Object, a.Zone).master) {
				// The invitation was withdrawn before it came: nothing to show.
				r.Notify, r.Reason, r.Sentence = false, w.Reason, w.Sentence
			}
		}
	}
}

// waitedFrom is who a waiting message was from: its organizer, or the delegate
// who answered before the delegator.
func waitedFrom(m *ical.Calendar, z *tz.Zone) ical.Address {
	if Method(m.Method()) == Reply {
		for _, c := range m.Main() {
			for line := range c.Props("ATTENDEE") {
				if line.HasParam("DELEGATED-FROM") {
					return speaksFor(line)
				}
			}
		}
		return ""
	}
	return speaksFor(newObject(m, z).organizer(nil))
}

func applyOne(a Arrival) *Result {
	p := &applying{a: a, me: peopleOf(a.User), from: people{}, mem: a.Memory.clone(), res: &Result{}}
	if a.Memory.InvitedAs != "" {
		p.me[a.Memory.InvitedAs.Key()] = true
	}
	if a.From != "" {
		p.from[a.From.Key()] = true
	}
	p.method = Method(strings.ToUpper(string(a.Method)))
	if p.method == "" {
		p.method = Method(a.Message.Method())
	}
	p.stored = newObject(a.Stored, a.Zone)
	p.msg = newObject(a.Message, a.Zone)
	if p.check() {
		p.dispatch()
	}
	p.res.Memory = p.mem
	if p.res.Decision != Applied && !(p.res.Decision == Held && p.res.Reason == ReasonCounter) {
		p.res.Object = nil
	}
	return p.res
}

func (p *applying) dispatch() {
	if p.a.Message.Kind() == "VFREEBUSY" {
		p.freeBusy()
		return
	}
	switch p.method {
	case Request:
		p.request()
	case Cancel:
		p.cancel()
	case Reply:
		p.reply()
	case Publish:
		p.publish()
	case Add:
		p.addition()
	case Counter:
		p.counter()
	case DeclineCounter:
		p.declineCounter()
	case Refresh:
		p.refresh()
	}
}

// end sets the outcome.
func (p *applying) end(d Decision, reason, format string, args ...any) {
	p.res.Decision, p.res.Reason, p.res.Sentence = d, reason, fmt.Sprintf(format, args...)
}

// spoken are the methods for a kind of component (RFC 5546 1.4).
var spoken = map[string]map[string]bool{
	"VEVENT":    set("PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"),
	"VTODO":     set("PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"),
	"VJOURNAL":  set("PUBLISH", "ADD", "CANCEL"),
	"VFREEBUSY": set("PUBLISH", "REQUEST", "REPLY"),
}

// check refuses what is no message about one object (OTH-12).
func (p *applying) check() bool {
	main := p.a.Message.Main()
	reject := func(status, format string, args ...any) bool {
		p.end(Rejected, ReasonInvalid, format, args...)
		p.res.RequestStatus = status
		return false
	}
	if len(main) == 0 {
		return reject("3.11", "The message has no event in it.")
	}
	kind, uid := main[0].Name, strings.TrimSpace(main[0].Value("UID"))
	if !spoken[kind][string(p.method)] {
		p.end(Ignored, ReasonUnsupported, "A message %q for %s is not understood; nothing was changed.", p.method, kind)
		p.res.RequestStatus = "3.14"
		return false
	}
	if own := Method(p.a.Message.Method()); own != "" && own != p.method {
		p.end(Held, ReasonInvalid, "The message says %s outside and %s inside; nothing was changed.", p.method, own)
		return false
	}
	if kind == "VFREEBUSY" && p.method == Publish {
		return true // RFC 5546 4.3.1 shows one without UID
	}
	if uid == "" {
		return reject("3.11", "The message has no UID: there is no telling which event it is about.")
	}
	organizer := ""
	for _, c := range main {
		if c.Name != kind {
			return reject("3.4", "The message mixes %s and %s; only one kind at a time can be applied.", kind, c.Name)
		}
		if strings.TrimSpace(c.Value("UID")) != uid {
			return reject("3.4", "The message is about several events; they must come one by one.")
		}
		if max := p.a.MaxAttendees; max > 0 && count(c, "ATTENDEE") > max {
			p.end(Rejected, ReasonTooMany, "The message names %d people; %d are allowed. Nothing was changed.", count(c, "ATTENDEE"), max)
			p.res.RequestStatus = "3.10"
			return false
		}
		if id := c.Prop("RECURRENCE-ID"); id != nil {
			if _, err := id.Time(); err != nil {
				return reject("3.5", "The message is about an occurrence at %q, which is no time.", id.Value())
			}
		}
		for q := range c.Props("ORGANIZER") {
			k := q.Address().Key()
			if organizer != "" && k != organizer {
				return reject("3.2", "The message names two organizers, %s and %s.", organizer, k)
			}
			organizer = k
		}
	}
	if len(main) > len(p.msg.keys()) { // a part is there twice: then it must be the same version
		numbers := map[string]int{}
		for _, c := range main {
			k := p.msg.keyOf(c)
			if n, twice := numbers[k]; twice && n != sequence(c) {
				return reject("3.4", "The message has one part twice, with SEQUENCE %d and %d: there is no telling which counts.", n, sequence(c))
			}
			numbers[k] = sequence(c)
		}
	}
	if !p.stored.empty() {
		if have := p.stored.cal.UID(); have != uid && p.mem.renewedAs(uid) && renewedUID(have, 0) == renewedUID(uid, 0) {
			p.msg = newObject(WithUID(p.a.Message, have), p.a.Zone)
			p.a.Message = p.msg.cal
		} else if have != uid {
			return reject("3.1", "The message is about another event (%s) than the stored one (%s).", uid, have)
		}
		if have := p.stored.cal.Kind(); have != kind {
			return reject("3.4", "The message has a %s, the stored object is a %s.", kind, have)
		}
	}
	return true
}

// acts reports whether the sender is the person of that line. designate says
// that it is someone else whom the line names as acting for the person (DEL-08).
func (p *applying) acts(line *ical.Property) (ok, designate bool) {
	if len(p.from) == 0 {
		return true, false
	}
	if line == nil {
		return false, false
	}
	if p.from[line.Address().Key()] {
		return true, false
	}
	if by := person(line).SentBy; by != "" && p.from[by.Key()] {
		if p.a.Consent != nil && p.a.Consent(line.Address(), by) {
			return true, false
		}
		return false, true
	}
	return false, false
}

// tokenDomains write a delivery token into ORGANIZER and the person into
// EMAIL; their mail comes from the person (ADR-03).
var tokenDomains = set("imip.me.com")

// byEmail reports whether a line's value is no mailbox of a person, so that mail
// of theirs comes from EMAIL. Beside an ordinary address EMAIL proves nothing:
// anyone could state anyone's.
func byEmail(line *ical.Property) bool {
	a := line.Address()
	return line.Param("EMAIL") != "" && (a.Email() == "" || tokenDomains[a.Domain()])
}

// speaksFor is the address that mail of the person of a line comes from.
func speaksFor(line *ical.Property) ical.Address {
	if line == nil {
		return ""
	}
	if byEmail(line) {
		return ical.Mailto(line.Param("EMAIL"))
	}
	return line.Address()
}

// organizerActs checks that a message which only the organizer may send comes
// from there: from the organizer of the stored event where there is one,
// whatever the message claims (RFC 5546 6.1.1).
func (p *applying) organizerActs() (ok, designate bool) {
	line := p.msg.organizer(nil)
	if !p.stored.empty() {
		if s := p.stored.organizer(nil); s != nil {
			line = s
		}
	}
	ok, designate = p.acts(line)
	if !ok && line != nil && byEmail(line) && p.from[speaksFor(line).Key()] {
		return true, false
	}
	if !ok && !designate {
		// A designate of today is named by the message, not by the copy of then.
		if m := p.msg.organizer(nil); m != nil && line != nil && m.Address().Key() == line.Address().Key() {
			ok, designate = p.acts(m)
		}
	}
	return ok, designate
}

func (p *applying) sender() string {
	if p.a.From == "" {
		return "the sender"
	}
	if e := p.a.From.Email(); e != "" {
		return e
	}
	return string(p.a.From)
}

// known is the title we know the event by; that of the message where there is
// none: a stranger's words are no facts.
func (p *applying) known() string {
	if !p.stored.empty() {
		return title(p.stored)
	}
	return title(p.msg)
}

// title is how a sentence calls the event.
func title(o *object) string {
	for _, c := range o.cal.Main() {
		if s := strings.TrimSpace(c.Text("SUMMARY")); s != "" {
			if r := []rune(s); len(r) > 80 {
				s = string(r[:79]) + "…"
			}
			return "“" + s + "”"
		}
	}
	return "the event"
}

func organizerName(o *object) string {
	if org := o.organizer(nil); org != nil {
		return nameOf(person(org))
	}
	return "an unknown organizer"
}
