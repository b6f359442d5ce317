package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/server"
	"github.com/convene-cal/convene/internal/store"
	"github.com/convene-cal/convene/itip"
)

type eventDelegate struct {
	eventRef     `embed:""`
	To           string `required:"" help:"Who goes instead." placeholder:"ADDRESS"`
	KeepInformed bool   `help:"Hear of later changes all the same."`
	JSON         bool   `help:"One JSON object for each person: what they get."`
}

func (eventDelegate) Help() string {
	return "The organizer is told, and the delegate is asked.\n\nExample: convene event delegate --account bob@example.org 5f3c --to carol@example.org"
}

func (c eventDelegate) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		_, cal, _, err := c.load(e, s, a, by)
		if err != nil {
			return err
		}
		rid, err := c.recurrenceID(cal)
		if err != nil {
			return err
		}
		r, err := s.Calendar.Delegate(e.ctx, calendar.DelegateRequest{By: by, Owner: a.ID, UID: c.UID, RecurrenceID: rid, To: ical.ParseAddress(c.To), KeepInformed: c.KeepInformed})
		if err != nil {
			return err
		}
		return sendFlags{JSON: c.JSON}.tell(e, a, r)
	})
}

type eventHandOver struct {
	accountFlag `embed:""`
	UID         string `arg:"" name:"uid" help:"UID of the event."`
	To          string `required:"" help:"Who organizes it from now on: somebody with an account here." placeholder:"ADDRESS"`
	JSON        bool   `help:"One JSON object for each person: what they get."`
}

func (eventHandOver) Help() string {
	return "Answers stay as they are, and who had it becomes a guest. Colleagues have it at once; guests elsewhere are asked by their programs.\n\nExample: convene event hand-over --account alice@example.org 5f3c --to carol@example.org"
}

func (c eventHandOver) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		r, err := s.Calendar.HandOver(e.ctx, calendar.HandOverRequest{By: by, Owner: a.ID, UID: c.UID, To: ical.ParseAddress(c.To)})
		if err != nil {
			return err
		}
		return sendFlags{JSON: c.JSON}.tell(e, a, r)
	})
}

type eventForward struct {
	accountFlag `embed:""`
	UID         string   `arg:"" name:"uid" help:"UID of the event."`
	To          []string `required:"" help:"To whom; repeat for several." placeholder:"ADDRESS"`
	JSON        bool     `help:"One JSON object for each person."`
}

func (eventForward) Help() string {
	return "The invitation goes on as it came. Whether the new ones may come is for the organizer to say.\n\nExample: convene event forward --account bob@example.org 5f3c --to gus@example.net"
}

func (c eventForward) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		sent, err := s.Calendar.Forward(e.ctx, calendar.ForwardRequest{By: by, Owner: a.ID, UID: c.UID, To: parseAddresses(c.To)})
		if err != nil {
			return err
		}
		return sendFlags{JSON: c.JSON}.tell(e, a, calendar.PutResult{Sent: sent})
	})
}

type eventUndo struct {
	accountFlag `embed:""`
	UID         string `arg:"" name:"uid" help:"UID of the event."`
	JSON        bool   `help:"One JSON object: what became of it."`
}

func (eventUndo) Help() string {
	return "Takes the latest change back while its messages wait ([mail] undo-window, convene account set-preference --undo-window).\n\nExample: convene event undo --account alice@example.org 5f3c"
}

func (c eventUndo) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		u, err := s.Calendar.Undo(e.ctx, by, a.ID, c.UID)
		if err != nil {
			return err
		}
		if c.JSON {
			return e.printJSON(map[string]any{"uid": c.UID, "withdrawn": u.Withdrawn, "sent": len(u.Sent), "sentence": u.Sentence})
		}
		_, err = fmt.Fprintln(forPeople(e.Out), u.Sentence)
		return err
	})
}

// hideFlags is on the commands that write an event.
type hideFlags struct {
	HideGuests *bool `help:"Whether guests see of the guest list only themselves." negatable:""`
}

// designateCommands say who may act for somebody.
type designateCommands struct {
	Add    designateAdd    `cmd:"" help:"Let somebody act for the account, or for somebody who writes to it."`
	Remove designateRemove `cmd:"" help:"Take it back."`
	List   designateList   `cmd:"" help:"List who may act for whom."`
}

type designateAdd struct {
	accountName `embed:""`
	Designate   string `arg:"" help:"Address of the one who acts."`
	For         string `help:"For whom (default: the account itself)." placeholder:"ADDRESS"`
}

func (designateAdd) Help() string {
	return "Messages that somebody sends for somebody else (SENT-BY) are held until it is known that they may.\n\nExample: convene account designate add boss@example.org secretary@example.org"
}

func (c designateAdd) Run(e *env) error { return c.change(e, false) }

func (c designateAdd) change(e *env, remove bool) error {
	return e.as(c.Address, func(s *server.Services, a store.Account, by account.Actor) error {
		d := calendar.Designate{Address: ical.ParseAddress(c.Designate)}
		if c.For != "" {
			d.Principal = ical.ParseAddress(c.For)
		}
		if remove {
			return s.Calendar.ForbidDesignate(e.ctx, by, a.ID, d)
		}
		return s.Calendar.AllowDesignate(e.ctx, by, a.ID, d)
	})
}

type designateRemove struct {
	accountName `embed:""`
	Designate   string `arg:"" help:"Address of the one who acted."`
	For         string `help:"For whom (default: the account itself)." placeholder:"ADDRESS"`
}

func (designateRemove) Help() string {
	return "Example: convene account designate remove boss@example.org secretary@example.org"
}

func (c designateRemove) Run(e *env) error { return designateAdd(c).change(e, true) }

type designateList struct {
	accountName `embed:""`
	JSON        bool `help:"One JSON object a designate."`
}

func (designateList) Help() string {
	return "Example: convene account designate list boss@example.org"
}

func (c designateList) Run(e *env) error {
	return e.as(c.Address, func(s *server.Services, a store.Account, by account.Actor) error {
		list, err := s.Calendar.Designates(e.ctx, by, a.ID)
		if err != nil {
			return err
		}
		for _, d := range list {
			principal := d.Principal.Email()
			if d.Principal == "" {
				principal = a.Name
			}
			if c.JSON {
				err = e.printJSON(map[string]string{"designate": d.Address.Email(), "for": d.Principal.Email()})
			} else {
				_, err = fmt.Fprintf(forPeople(e.Out), "%s for %s\n", d.Address.Email(), principal)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type accountSetPreference struct {
	accountName `embed:""`
	UndoWindow  string    `help:"How long messages that leave the service wait for second thoughts, up to 5m; 'default' for the service's." placeholder:"D"`
	TellBusy    *[]string `help:"Who outside is told when the person is busy, when they ask by message: addresses, @domains or '*'; '' for nobody." placeholder:"WHO"`
	NewSeries   *[]string `help:"Whose programs cannot move a series in place: they get its end and a new one; addresses or @domains, '' for nobody." placeholder:"WHO"`
	Delegation  string    `enum:"yes,no," default:"" help:"Whether guests of the person's events may send others in their place: yes or no." placeholder:"WORD"`
	Uninvited   string    `enum:"ask,admit,refuse,ignore," default:"" help:"What becomes of answers by people who were not invited: 'ask' lets them wait, 'admit' invites who wants to come, 'refuse' tells them, 'ignore' does nothing." placeholder:"HOW"`
	Cancelled   string    `enum:"show,delete," default:"" help:"What becomes of events that their organizer called off: 'show' them as cancelled, or 'delete' them." placeholder:"HOW"`
	Private     string    `enum:",busy,hidden" default:"" help:"How others see events that are private or confidential: 'busy' time, or 'hidden'." placeholder:"HOW"`
	SignMail    string    `enum:"yes,no,default," default:"" help:"Whether mail is signed where there is a key: yes, no, or default, as the service does."`
	EncryptMail string    `enum:"never,when-possible,always,default," default:"" help:"Whether mail is encrypted: never, when-possible, always, or default, as the service does."`
	Language    *string   `help:"In which language mail is written for the person, to whoever did not name their own: de, en, es or fr; '' for English." placeholder:"TAG"`
	JSON        bool      `help:"Print the preferences as one JSON object."`
}

func (accountSetPreference) Help() string {
	return "What is not given stays.\n\nExample: convene account set-preference ann@example.org --undo-window 2m --tell-busy @example.net"
}

func (c accountSetPreference) Run(e *env) error {
	return e.as(c.Address, func(s *server.Services, a store.Account, by account.Actor) error {
		p, err := s.Calendar.Preferences(e.ctx, by, a.ID)
		if err != nil {
			return err
		}
		switch c.UndoWindow {
		case "":
		case "default":
			p.UndoWindow = nil
		default:
			d, err := durationFlag("--undo-window", c.UndoWindow)
			if err != nil {
				return err
			}
			p.UndoWindow = &d
		}
		if c.TellBusy != nil {
			p.TellBusy = nil
			for _, who := range *c.TellBusy {
				if who != "" {
					p.TellBusy = append(p.TellBusy, who)
				}
			}
		}
		if c.NewSeries != nil {
			p.NewSeries = slices.DeleteFunc(slices.Clone(*c.NewSeries), func(who string) bool { return who == "" })
		}
		if c.Delegation != "" {
			p.NoDelegation = c.Delegation == "no"
		}
		if c.Uninvited != "" {
			p.Crashers = itip.CrasherPolicy(strings.TrimPrefix(c.Uninvited, "ask"))
		}
		if c.Cancelled != "" {
			p.DeleteCancelled = c.Cancelled == "delete"
		}
		if c.Private != "" {
			p.HidePrivate = c.Private == "hidden"
		}
		switch c.SignMail {
		case "":
		case "default":
			p.SignMail = nil
		default:
			p.SignMail = new(c.SignMail == "yes")
		}
		switch c.EncryptMail {
		case "":
		case "default":
			p.EncryptMail = ""
		default:
			p.EncryptMail = c.EncryptMail
		}
		if c.Language != nil {
			if err := s.Accounts.SetLanguage(e.ctx, a.ID, *c.Language); err != nil {
				return err
			}
			a.Language = *c.Language
		}
		if err := s.Calendar.SetPreferences(e.ctx, by, a.ID, p); err != nil {
			return err
		}
		cancelled := "show"
		if p.DeleteCancelled {
			cancelled = "delete"
		}
		private := "busy"
		if p.HidePrivate {
			private = "hidden"
		}
		sign, encrypt := "default", "default"
		if p.SignMail != nil {
			sign = map[bool]string{true: "yes", false: "no"}[*p.SignMail]
		}
		if p.EncryptMail != "" {
			encrypt = p.EncryptMail
		}
		window := "default"
		if p.UndoWindow != nil {
			window = p.UndoWindow.String()
		}
		if c.JSON {
			return e.printJSON(map[string]any{"name": a.Name, "undo-window": window, "tell-busy": append([]string{}, p.TellBusy...), "new-series": append([]string{}, p.NewSeries...), "delegation": !p.NoDelegation, "uninvited": cmp.Or(string(p.Crashers), "ask"), "cancelled": cancelled, "private": private, "sign-mail": sign, "encrypt-mail": encrypt, "language": a.Language})
		}
		told := "nobody outside"
		if len(p.TellBusy) > 0 {
			told = strings.Join(p.TellBusy, ", ")
		}
		anew := "nobody: series are moved in place"
		if len(p.NewSeries) > 0 {
			anew = strings.Join(p.NewSeries, ", ")
		}
		delegation := "guests may send others in their place"
		if p.NoDelegation {
			delegation = "guests may not send others in their place"
		}
		uninvited := map[itip.CrasherPolicy]string{itip.AskAboutCrashers: "who answers without being invited waits for a decision", itip.AdmitCrashers: "who wants to come without being invited is invited",
			itip.RefuseCrashers: "who answers without being invited is told so", itip.IgnoreCrashers: "answers of who is not invited are left alone"}[p.Crashers]
		_, err = fmt.Fprintf(forPeople(e.Out), "%s\n  undo window  %s\n  tells busy   %s\n  new series   %s\n  delegation   %s\n  uninvited    %s\n  cancelled    %s\n  private      %s\n  signs mail   %s\n  encrypts     %s\n  language     %s\n", a.Name, window, told, anew, delegation, uninvited, cancelled, private, sign, encrypt, cmp.Or(a.Language, "en"))
		return err
	})
}

var errNobodyOutside = errors.New("nobody to ask: these people are of this service, which knows when they are busy")

type eventBook struct {
	accountFlag `embed:""`
	UID         string `arg:"" name:"uid" help:"UID of the event."`
	Room        string `required:"" help:"Which room or resource." placeholder:"ADDRESS"`
	JSON        bool   `help:"One JSON object: what the room says."`
}

func (eventBook) Help() string {
	return "Exit status 1 when the room declines.\n\nExample: convene event book --account alice@example.org 5f3c --room blue-room@example.org"
}

func (c eventBook) Run(e *env) error {
	return e.as(c.Account, func(s *server.Services, a store.Account, by account.Actor) error {
		b, err := s.Calendar.Book(e.ctx, calendar.BookRequest{By: by, Owner: a.ID, UID: c.UID, Room: ical.ParseAddress(c.Room)})
		if err != nil {
			return err
		}
		if c.JSON {
			err = e.printJSON(map[string]string{"uid": c.UID, "room": c.Room, "partstat": b.PartStat, "note": b.Note})
		} else {
			_, err = fmt.Fprintf(forPeople(e.Out), "%s %s\n", strings.ToLower(b.PartStat), b.Note)
		}
		if err == nil && b.PartStat == "DECLINED" {
			return errFailed
		}
		return err
	})
}
