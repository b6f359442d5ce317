package itip

import (
	"fmt"
	"slices"

	"github.com/convene-cal/convene/ical"
)

// Notice says of one person whether they are told of a change, and why: the
// preview of what [Plan] would send. A change has one for everybody who is or
// was on the event, the owner included.
type Notice struct {
	Attendee ical.Address `json:"attendee"`
	Name     string       `json:"name"` // CN, or the address
	Reason   string       `json:"reason"`
	Messages []int        `json:"messages,omitempty"` // in Outcome.Send; none = they are told nothing
}

// Reasons of a [Notice].
const (
	NoticeInvited     = "invited"      // a REQUEST: new on the event, or on an occurrence
	NoticeChanged     = "changed"      // a REQUEST: something they must know
	NoticeAsked       = "asked-anew"   // a REQUEST: the time changed, their answer is open again
	NoticeCancelled   = "cancelled"    // a CANCEL: of everything, or of their part
	NoticeRefreshed   = "refreshed"    // their copy on this service is brought up to date, without a word
	NoticeAnswer      = "answer"       // the organizer gets an answer
	NoticeDelegate    = "delegate"     // a REQUEST from who delegates to them
	NoticeUnconcerned = "unconcerned"  // nothing that concerns them changed
	NoticeStatusOnly  = "status-only"  // only guests or answers changed: no mail for that
	NoticeOwner       = "owner"        // the one who makes the change
	NoticeOtherAgent  = "other-agent"  // SCHEDULE-AGENT: somebody else tells them (RFC 6638 7.1)
	NoticeUnreachable = "unreachable"  // no address that messages reach
	NoticeBounced     = "bounced"      // the invitation never reached them, so neither does its end
	NoticeDelegated   = "delegated"    // they delegated, and did not ask to hear more (RFC 5546 4.2.5)
	NoticeByOrganizer = "by-organizer" // whatever follows, the organizer tells them
	NoticeSilent      = "silent"       // the owner wants no answer sent (RFC 6638 8.1)
	NoticeImported    = "imported"     // an import sends nothing
	NoticeNobodys     = "not-yours"    // the owner neither organizes nor attends: nothing goes out in other names
)

var noticeSentences = map[string]string{
	NoticeInvited:     "%s is invited.",
	NoticeChanged:     "%s is told of the change.",
	NoticeAsked:       "%s is asked again, since the time changes.",
	NoticeCancelled:   "%s is told that it does not take place for them.",
	NoticeRefreshed:   "The calendar of %s is brought up to date without a message.",
	NoticeAnswer:      "%s gets your answer.",
	NoticeDelegate:    "%s is asked to come in your place.",
	NoticeUnconcerned: "%s gets nothing: nothing that concerns them changed.",
	NoticeStatusOnly:  "%s gets nothing: only guests or answers changed.",
	NoticeOwner:       "%s makes this change.",
	NoticeOtherAgent:  "%s gets nothing from here: another program takes care of that.",
	NoticeUnreachable: "%s cannot be told: there is no address that messages reach.",
	NoticeBounced:     "%s gets nothing: no message ever reached them.",
	NoticeDelegated:   "%s gets nothing: they passed the invitation on and asked for no more news.",
	NoticeByOrganizer: "%s gets nothing from you: that is for the organizer.",
	NoticeSilent:      "%s gets nothing: you want no answer sent.",
	NoticeImported:    "%s gets nothing: an import sends no messages.",
	NoticeNobodys:     "%s gets nothing: it is not your event, and you are not a guest of it.",
}

// Sentence says it to the owner.
func (n Notice) Sentence() string {
	if format, ok := noticeSentences[n.Reason]; ok {
		return fmt.Sprintf(format, n.Name)
	}
	return n.Name + ": " + n.Reason
}

func noticeOf(p *ical.Property, reason string) Notice {
	name := p.Param("CN")
	if name == "" {
		name = nameOf(person(p))
	}
	return Notice{Attendee: p.Address(), Name: name, Reason: reason}
}

// notice says what [organizing.tell] did with one person; send is the number of
// messages before.
func (p *organizing) notice(one *party, send int) {
	n := noticeOf(one.line, NoticeUnconcerned)
	if many := len(p.out.Send) - send; many > 0 {
		n.Messages = make([]int, 0, many)
	}
	for i := send; i < len(p.out.Send); i++ {
		n.Messages = append(n.Messages, i)
	}
	needed := one.cancelled || len(one.uninvited) > 0 || len(one.asked) > 0
	switch {
	case len(n.Messages) > 0 && p.out.Send[send].Refresh:
		n.Reason = NoticeRefreshed
	case len(n.Messages) > 0 && len(one.asked) == 0:
		n.Reason = NoticeCancelled
	case len(n.Messages) > 0 && p.someFirst(send):
		n.Reason = NoticeInvited
	case len(n.Messages) > 0:
		n.Reason = NoticeChanged
		if len(p.asked) > 0 && slices.ContainsFunc(one.asked, func(k string) bool { return p.asked[k] }) {
			n.Reason = NoticeAsked
		}
	case needed && reachable(one.line, p.c.Local) == "":
		n.Reason = NoticeUnreachable
	case needed:
		n.Reason = NoticeBounced
	case agent(one.line) != "SERVER":
		n.Reason = NoticeOtherAgent
	case p.silenced(one):
		n.Reason = NoticeDelegated
	case one.refresh:
		n.Reason = NoticeStatusOnly
	}
	p.out.People = append(p.out.People, n)
}

// someFirst reports whether one of the messages from a place on is about something new.
func (p *organizing) someFirst(from int) bool {
	for i := from; i < len(p.out.Send); i++ {
		if p.out.Send[i].First {
			return true
		}
	}
	return false
}

// silenced reports whether a change is not told to a person only because they
// delegated.
func (p *organizing) silenced(one *party) bool {
	for _, k := range one.listed {
		if d := p.deltas[k]; d != nil && d.class&significant != 0 && delegatedAway(p.is[k].line(one.who)) {
			return true
		}
	}
	return false
}

// others lists what becomes of those whom the owner does not write to.
func (out *Outcome) others(o *object, me people, done map[string]bool, reason string) {
	for _, c := range o.cal.Main() {
		for line := range c.Props("ATTENDEE") {
			k := line.Address().Key()
			if k == "" || done[k] {
				continue
			}
			done[k] = true
			why := reason
			if me.is(line) {
				why = NoticeOwner
			}
			out.People = append(out.People, noticeOf(line, why))
		}
	}
}

// notices says what becomes of everybody when a guest changes their copy.
func (p *attending) notices() {
	done := map[string]bool{}
	o := p.new
	if o.empty() {
		o = p.old
	}
	if org := o.organizer(nil); org != nil {
		n := noticeOf(org, NoticeUnconcerned)
		for i, m := range p.out.Send {
			if m.Method == Reply {
				n.Messages, n.Reason = append(n.Messages, i), NoticeAnswer
			}
		}
		switch {
		case len(n.Messages) > 0:
		case agent(org) != "SERVER":
			n.Reason = NoticeOtherAgent
		case len(p.answers) > 0:
			n.Reason = NoticeUnreachable
		case p.c.New == nil && p.c.Reply == ReplySuppress:
			n.Reason = NoticeSilent
		}
		done[org.Address().Key()] = true
		p.out.People = append(p.out.People, n)
	}
	for i, m := range p.out.Send {
		if m.Method != Request {
			continue
		}
		for _, c := range o.cal.Main() {
			if line := (people{m.To.Key(): true}).line(c); line != nil && !done[line.Address().Key()] {
				n := noticeOf(line, NoticeDelegate)
				n.Messages = []int{i}
				done[line.Address().Key()] = true
				p.out.People = append(p.out.People, n)
			}
		}
	}
	p.out.others(o, p.me, done, NoticeByOrganizer)
}
