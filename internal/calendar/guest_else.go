package calendar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

// maxUninvited bounds the answers of people who were not invited that wait for
// one event: whoever has the address of a guest's page could write any number.
const maxUninvited = 20

// GuestElse takes the answer of somebody to whom a guest passed their page on
// (RFC 5546 3.2.2.6). Nothing shows who that is: it waits for the organizer. For
// an address that is invited, or has an account here, nothing is done, or
// anybody could answer for it; it is not told, because the list of guests may be
// hidden.
func (s *Service) GuestElse(ctx context.Context, organizer store.AccountID, uid string, guest, somebody ical.Address, name, partStat, comment string, evidence []byte) error {
	partStat = strings.ToUpper(partStat)
	if partStat != "ACCEPTED" && partStat != "TENTATIVE" && partStat != "DECLINED" {
		return problem.New(problem.BadInput, "An invitation is answered with ACCEPTED, TENTATIVE or DECLINED, not with %q.", clip(partStat))
	}
	local, domain, ok := strings.Cut(somebody.Email(), "@")
	if !ok || local == "" || !strings.Contains(domain, ".") || len(somebody.Email()) > 254 || !plainAddress(somebody) {
		return problem.New(problem.BadInput, "Write the mail address under which the organizer can reach you.")
	}
	g, err := s.speaking(ctx, organizer, uid, guest, comment)
	if err != nil {
		return err
	}
	taken := errors.New("invited already, or a colleague")
	err = s.store.View(ctx, func(tx *store.Tx) error {
		dir := s.directory(tx)
		if dir.local(somebody) || s.ourDomain(somebody) || dir.err != nil {
			return cmp.Or[error](dir.err, taken)
		}
		o, err := s.byUID(tx, organizer, uid)
		if err != nil || o == nil {
			return err
		}
		cal, _, err := s.parse(tx, o)
		if err != nil {
			return err
		}
		for _, c := range cal.Main() {
			people := slices.AppendSeq(slices.Collect(c.Props("ATTENDEE")), c.Props("ORGANIZER"))
			for _, p := range people {
				for _, a := range []ical.Address{p.Address(), ical.Mailto(p.Param("EMAIL")), ical.ParseAddress(p.Param("SENT-BY"))} {
					if a != "" && untagged(a).Equal(untagged(somebody)) {
						return taken
					}
				}
			}
		}
		rows, err := tx.Entries(store.EntryFilter{Account: organizer, UID: uid, Direction: journal.In, States: []string{StateHeld}, Bare: true})
		if err != nil {
			return fmt.Errorf("who waits for %s: %w", uid, err)
		}
		waiting := 0
		for _, e := range rows {
			if e.Reason == itip.ReasonPartyCrasher && !ical.Address(e.From).Equal(somebody) {
				waiting++
			}
		}
		if waiting >= maxUninvited {
			return problem.New(problem.BadInput, "Many people who were not invited wait for the organizer's decision. Write to the organizer.")
		}
		return nil
	})
	if errors.Is(err, taken) {
		return nil
	}
	if err != nil {
		return err
	}
	answered, err := itip.Answer(g.object, itip.Memory{}, []ical.Address{somebody}, partStat, comment, "", s.now())
	if err != nil {
		return forbidden(err)
	}
	for _, c := range answered.Main() {
		for p := range c.Props("ATTENDEE") {
			if p.Address().Equal(somebody) && name != "" {
				p.SetParam("CN", name)
			}
		}
	}
	out, err := itip.Plan(itip.Change{Old: g.object, New: answered, User: []ical.Address{somebody}, Now: s.now(), Reply: itip.ReplySend})
	if err != nil {
		return forbidden(err)
	}
	var replies []Arrival
	for _, m := range out.Send {
		if m.Method == itip.Reply {
			replies = append(replies, Arrival{To: organizer, From: somebody, Message: m.Calendar, Method: m.Method, Transport: viaPage, Evidence: evidence})
		}
	}
	if len(replies) == 0 {
		return problem.New(problem.BadInput, "The answer could not be passed on. Write to the organizer.")
	}
	_, err = s.arrive(ctx, replies)
	return err
}

// plainAddress tells whether an address is one that can be typed, and nothing
// more: a mailto URI may have header fields (RFC 6068 2), which would be those of
// whoever writes to the attendee.
func plainAddress(a ical.Address) bool {
	return a == ical.Mailto(a.Email()) && !strings.ContainsFunc(a.Email(), func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(" <>\",;?%&#", r) })
}

// untagged is an address without its sub-address (RFC 5233).
func untagged(a ical.Address) ical.Address {
	local, domain, ok := strings.Cut(a.Email(), "@")
	if base, _, tagged := strings.Cut(local, "+"); ok && tagged && base != "" {
		return ical.Mailto(base + "@" + domain)
	}
	return a
}
