package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/internal/transport/mail"
	"github.com/convene-cal/convene/internal/trust"
	"github.com/convene-cal/convene/itip"
)

type messageCommands struct {
	List    messageList    `cmd:"" help:"List scheduling messages, newest first."`
	Show    messageShow    `cmd:"" help:"Show one message with its evidence and text."`
	Approve messageApprove `cmd:"" help:"Apply a message that was held."`
	Reject  messageReject  `cmd:"" help:"Refuse a message that was held."`
	Retry   messageRetry   `cmd:"" help:"Send a waiting or failed message again now."`
	Flood   floodCommands  `cmd:"" help:"Floods of scheduling mail: what was held, to be let in or refused together."`
	Revoke  messageRevoke  `cmd:"" help:"Take back the addresses that answers to an event come to."`
	Receive messageReceive `cmd:"" help:"Take one mail from standard input, for a mail server's pipe."`
}

// messageLine is a journal row as scripts read it.
type messageLine struct {
	ID           string          `json:"id"`
	Direction    string          `json:"direction"`
	Transport    string          `json:"transport"`
	Method       string          `json:"method"`
	UID          string          `json:"uid"`
	RecurrenceID string          `json:"recurrence-id"`
	From         string          `json:"from"`
	To           string          `json:"to"`
	State        string          `json:"state"`
	Reason       string          `json:"reason"`
	Sentence     string          `json:"sentence"`
	Status       string          `json:"status,omitempty"`
	Evidence     json.RawMessage `json:"evidence"`
	Time         time.Time       `json:"time"`
	Attempts     []attemptLine   `json:"attempts"`
	Calendar     string          `json:"calendar,omitempty"`
	Raw          string          `json:"raw,omitempty"`
}

type attemptLine struct {
	Time      time.Time `json:"time"`
	Transport string    `json:"transport"`
	Status    string    `json:"status,omitempty"`
	Sentence  string    `json:"sentence,omitempty"`
}

func lineFor(x store.Entry) messageLine {
	m := messageLine{
		ID: strconv.FormatInt(x.ID, 10), Direction: x.Direction, Transport: x.Transport, Method: x.Method, UID: x.UID, RecurrenceID: x.RecurrenceID,
		From: x.From, To: x.To, State: x.State, Reason: x.Reason, Sentence: x.Sentence, Status: x.Status, Time: x.Created, Attempts: []attemptLine{},
	}
	m.Evidence = json.RawMessage("{}")
	if json.Valid(x.Evidence) {
		m.Evidence = x.Evidence
	}
	for _, a := range x.Attempts {
		m.Attempts = append(m.Attempts, attemptLine{a.Time, a.Transport, a.Status, a.Sentence})
	}
	return m
}

type messageList struct {
	Account string `help:"Only of this account." placeholder:"ADDRESS"`
	State   string `help:"Only in this state: due, sent, delivered, applied, held, rejected, failed, …"`
	UID     string `name:"uid" help:"Only of this event."`
	Limit   int    `help:"At most so many." placeholder:"N"`
	JSON    bool   `help:"One JSON object a message."`
}

// messageStates are all a row may be in.
var messageStates = []string{journal.Due, journal.Sent, journal.Delivered, journal.Failed, journal.Superseded,
	calendar.StateReceived, string(itip.Applied), string(itip.Unchanged), string(itip.Ignored), calendar.StateHeld, calendar.StateRejected}

func (messageList) Help() string { return "Example: convene message list --state held --json" }

func (c messageList) Run(e *env) error {
	if c.State != "" && !slices.Contains(messageStates, c.State) {
		return usagef("--state: no message is ever %q; write one of %s", c.State, strings.Join(messageStates, ", "))
	}
	if c.Limit < 0 {
		return usagef("--limit: %d is less than nothing; leave it out to see all", c.Limit)
	}
	return e.with(func(s *server.Services) error {
		filter := store.EntryFilter{UID: c.UID, Limit: c.Limit}
		if c.State != "" {
			filter.States = []string{c.State}
		}
		if c.Account != "" {
			a, err := s.Accounts.Find(e.ctx, c.Account)
			if err != nil {
				return err
			}
			filter.Account = a.ID
		}
		var rows []store.Entry
		if err := s.Store.View(e.ctx, func(tx *store.Tx) (err error) {
			rows, err = tx.Entries(filter)
			return err
		}); err != nil {
			return err
		}
		for _, x := range rows {
			m := lineFor(x)
			var err error
			if c.JSON {
				err = e.printJSON(m)
			} else {
				_, err = fmt.Fprintf(forPeople(e.Out), "%-6s %-3s %-9s %-10s %s → %s  %s  %s\n", m.ID, m.Direction, m.Method, m.State, m.From, m.To, m.Time.Format(time.RFC3339), m.Sentence)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// messageID is the argument of the commands on one message.
type messageID struct {
	ID int64 `arg:"" help:"Number in the first column of convene message list."`
}

// entry finds the row and whoever it belongs to.
func (c messageID) entry(e *env, s *server.Services) (x store.Entry, by account.Actor, err error) {
	err = s.Store.View(e.ctx, func(tx *store.Tx) error {
		if x, err = tx.FindEntry(c.ID); err != nil {
			if errors.Is(err, store.ErrNotFound) {
				return problem.New(problem.NotFound, "There is no message %d; convene message list shows them.", c.ID)
			}
			return err
		}
		a, err := tx.Account(x.Account)
		by = s.Accounts.ActorOf(a)
		return err
	})
	return x, by, err
}

type messageShow struct {
	messageID `embed:""`
	JSON      bool `help:"One JSON object."`
}

func (messageShow) Help() string { return "Example: convene message show 17" }

func (c messageShow) Run(e *env) error {
	return e.with(func(s *server.Services) error {
		x, _, err := c.entry(e, s)
		if err != nil {
			return err
		}
		m := lineFor(x)
		m.Calendar, m.Raw = string(x.Calendar), string(x.Raw)
		if c.JSON {
			return e.printJSON(m)
		}
		fmt.Fprintf(forPeople(e.Out), "message %s, %s by %s\n  %s %s\n  from %s\n  to %s\n  state %s", m.ID, m.Direction, m.Transport, m.Method, m.UID, m.From, m.To, m.State)
		if m.Sentence != "" {
			fmt.Fprintf(forPeople(e.Out), ": %s", m.Sentence)
		}
		fmt.Fprintln(e.Out)
		for _, a := range m.Attempts {
			fmt.Fprintf(forPeople(e.Out), "  tried %s by %s: %s %s\n", a.Time.Format(time.RFC3339), a.Transport, a.Status, a.Sentence)
		}
		var seen trust.Evidence
		if json.Unmarshal(x.Evidence, &seen) == nil {
			for _, sig := range seen.Signatures {
				fmt.Fprintf(forPeople(e.Out), "  signature %s: %s\n", sig.Standing, strings.TrimSpace(sig.Sentence+" "+sig.Certificate))
			}
		}
		if len(x.Evidence) > 0 {
			fmt.Fprintf(forPeople(e.Out), "  evidence %s\n", m.Evidence)
		}
		_, err = fmt.Fprintf(forPeople(e.Out), "\n%s\n", strings.ReplaceAll(m.Calendar, "\r\n", "\n"))
		return err
	})
}

type messageApprove struct {
	messageID `embed:""`
	Always    bool `help:"Of a designate: let them act for the same person from now on."`
}

func (messageApprove) Help() string {
	return "An invitation is put into the calendar, a proposal taken up, a guest who was not invited let in, a room given.\n\nExample: convene message approve 17"
}

func (c messageApprove) Run(e *env) error {
	return c.settle(e, func(s *server.Services, x store.Entry, by account.Actor) (store.Entry, error) {
		if c.Always {
			return s.Calendar.ApproveAlways(e.ctx, by, x.Account, x.ID)
		}
		return s.Calendar.Approve(e.ctx, by, x.Account, x.ID)
	})
}

func (c messageID) settle(e *env, do func(*server.Services, store.Entry, account.Actor) (store.Entry, error)) error {
	return e.with(func(s *server.Services) error {
		x, by, err := c.entry(e, s)
		if err != nil {
			return err
		}
		if x, err = do(s, x, by); err != nil {
			return err
		}
		_, err = fmt.Fprintf(forPeople(e.Out), "%s: %s\n", x.State, x.Sentence)
		return err
	})
}

type messageReject struct {
	messageID `embed:""`
}

func (messageReject) Help() string { return "Example: convene message reject 17" }

func (c messageReject) Run(e *env) error {
	return c.settle(e, func(s *server.Services, x store.Entry, by account.Actor) (store.Entry, error) {
		return s.Calendar.Reject(e.ctx, by, x.Account, x.ID)
	})
}

type messageRetry struct {
	messageID `embed:""`
}

func (messageRetry) Help() string { return "Example: convene message retry 17" }

func (c messageRetry) Run(e *env) error {
	return c.settle(e, func(s *server.Services, x store.Entry, _ account.Actor) (store.Entry, error) {
		return s.Journal.Retry(e.ctx, x.Account, x.ID)
	})
}

type messageRevoke struct {
	Account  string `required:"" help:"The organizer." placeholder:"ADDRESS"`
	UID      string `name:"uid" required:"" help:"The event."`
	Attendee string `help:"Only the address made for this guest." placeholder:"ADDRESS"`
}

func (messageRevoke) Help() string {
	return "Mail to an address that was taken back is refused; the next message about the event brings a new one.\n\nExample: convene message revoke --account ann@example.org --uid 4711 --attendee ben@example.com"
}

func (c messageRevoke) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, _ account.Actor) error {
		var who ical.Address
		if c.Attendee != "" {
			who = ical.ParseAddress(c.Attendee)
		}
		return s.Mail.RevokeReplyAddress(e.ctx, a.ID, c.UID, who)
	})
}

type messageReceive struct {
	To   []string `help:"Recipient as the mail server knows it; default: the mail's own To and Cc." placeholder:"ADDRESS"`
	From string   `help:"Envelope sender." placeholder:"ADDRESS"`
}

func (messageReceive) Help() string {
	return "Exit statuses are those of sysexits.h: 0 taken, 65 not a mail, 67 no such user, 75 try again later.\n\nExample (Postfix master.cf): convene message receive --to ${recipient}"
}

// Exit statuses of sysexits.h that a mail server understands.
const (
	exDataErr  = 65
	exNoUser   = 67
	exTempFail = 75
)

// statusError ends a command with a status of its own.
type statusError struct {
	status int
	error
}

func (e statusError) Unwrap() error { return e.error }

func (c messageReceive) Run(e *env) error {
	cfg, err := e.load(nil)
	if err != nil {
		return err
	}
	raw, whole, err := readMail(e.In, cfg)
	if err != nil {
		return statusError{exTempFail, err}
	}
	if !whole {
		return statusError{exDataErr, fmt.Errorf("the mail has more than %d octets (mail.max-message-size)", cfg.Mail.MaxMessageSize)}
	}
	s, err := e.open()
	if err != nil {
		return statusError{exTempFail, err}
	}
	defer s.Close()
	_, err = s.Mail.Intake(e.ctx, raw, mail.Envelope{From: c.From, To: c.To, Remote: "pipe"})
	switch {
	case err == nil:
		return nil
	case problem.Has(err, problem.NotFound):
		return statusError{exNoUser, err}
	case problem.Has(err, problem.TooLarge), problem.Has(err, problem.BadInput):
		return statusError{exDataErr, err}
	}
	return statusError{exTempFail, err}
}

type freebusyCommand struct {
	Addresses []string `arg:"" name:"address" help:"Whose time."`
	From      string   `required:"" help:"Begin." placeholder:"T"`
	To        string   `required:"" help:"End." placeholder:"T"`
	As        string   `help:"Ask as this account (default: the first address that has one)." placeholder:"ADDRESS"`
	TZ        string   `name:"tz" help:"Zone of --from, --to and the answer (default: UTC)." placeholder:"ZONE"`
	Ask       bool     `help:"Send those of other services a question; what they answer counts from then on."`
	JSON      bool     `help:"One JSON object an address."`
}

func (freebusyCommand) Help() string {
	return "Example: convene freebusy bob@example.org --from 2027-04-01 --to 2027-04-02 --tz Europe/Berlin"
}

// asking does something as the account that asks. Other servers are told of
// which domain it is: that of its address where the configuration has none, as
// beside a server that was started with flags.
func (c freebusyCommand) asking(e *env, do func(*server.Services, store.Account, account.Actor) error) error {
	candidates := c.Addresses
	if c.As != "" {
		candidates = []string{c.As}
	}
	who, flags := "", map[string]string{}
	err := e.with(func(s *server.Services) error {
		var absent error
		for _, address := range candidates {
			a, err := s.Accounts.Find(e.ctx, address)
			if err != nil {
				absent = errors.Join(absent, err)
				continue
			}
			list, err := s.Accounts.Addresses(e.ctx, a.ID)
			if err != nil {
				return err
			}
			if who = address; len(s.Config.Domains) == 0 && len(list) > 0 && list[0].Domain() != "" {
				flags["domains"] = list[0].Domain()
			}
			return nil
		}
		if c.As == "" {
			return usagef("none of these addresses has an account here; say with --as who asks")
		}
		return absent
	})
	if err != nil {
		return err
	}
	return e.withSettings(flags, func(s *server.Services) error {
		a, err := s.Accounts.Find(e.ctx, who)
		if err != nil {
			return err
		}
		return do(s, a, s.Accounts.ActorOf(a))
	})
}

func (c freebusyCommand) Run(e *env) error {
	zone, err := zoneFlag(c.TZ)
	if err != nil {
		return err
	}
	from, err := instantFlag("--from", c.From, zone)
	if err != nil {
		return err
	}
	to, err := instantFlag("--to", c.To, zone)
	if err != nil {
		return err
	}
	if !from.Before(to) {
		return usagef("--to %s is not after --from %s", c.To, c.From)
	}
	return c.asking(e, func(s *server.Services, asker store.Account, by account.Actor) error {
		who := parseAddresses(c.Addresses)
		if c.Ask {
			sent, err := s.Calendar.AskFreeBusy(e.ctx, calendar.AskFreeBusyRequest{By: by, Owner: asker.ID, Who: who, From: from, To: to})
			if err == nil && len(sent) == 0 {
				err = errNobodyOutside
			}
			if err != nil {
				return err
			}
			return sendFlags{JSON: c.JSON}.tell(e, asker, calendar.PutResult{Sent: sent})
		}
		answers, err := s.Calendar.FreeBusy(e.ctx, by, who, from, to, "")
		if err != nil {
			return err
		}
		failed := false
		for _, a := range answers {
			type period struct {
				From time.Time `json:"from"`
				To   time.Time `json:"to"`
				Type string    `json:"type"`
			}
			busy := []period{}
			for _, p := range a.Periods {
				busy = append(busy, period{p.From.In(zone.Location()), p.To.In(zone.Location()), p.Type})
			}
			if c.JSON {
				if err := e.printJSON(map[string]any{"address": a.Address, "status": a.Status, "busy": busy}); err != nil {
					return err
				}
				continue
			}
			if len(a.Status) > 0 && a.Status[0] != '2' {
				failed = true
				fmt.Fprintf(forPeople(e.Err), "convene: %s: nothing is known of this time (%s); --ask sends people of other services a question\n", a.Address.Email(), a.Status)
				continue
			}
			for _, p := range busy {
				if _, err := fmt.Fprintf(forPeople(e.Out), "%s  %s  %s  %s\n", a.Address.Email(), p.From.Format("2006-01-02T15:04Z07:00"), p.To.Format("2006-01-02T15:04Z07:00"), p.Type); err != nil {
					return err
				}
			}
		}
		if failed {
			return errFailed
		}
		return nil
	})
}
