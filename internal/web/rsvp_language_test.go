package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/convene-cal/convene/imip/phrase"
	"github.com/convene-cal/convene/internal/calendar"
	"github.com/convene-cal/convene/internal/store"
)

// The page is in the language that the guest's browser asks for, with what it says
// after an answer and where it refuses one.
func TestGuestPageInTheGuestsLanguage(t *testing.T) {
	o := newOffice(t, fixed)
	alice := o.people["alice"]
	event := strings.Join([]string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", "BEGIN:VEVENT", "UID:party", "DTSTAMP:20261116T080000Z",
		"DTSTART:20261120T180000Z", "DTEND:20261120T200000Z", "RRULE:FREQ=WEEKLY;COUNT=3", "SUMMARY:Party", "ORGANIZER;CN=Alice:mailto:alice@example.test",
		"ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test", "ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:dave@elsewhere.test", "END:VEVENT", "END:VCALENDAR", ""}, "\r\n")
	if _, err := o.calendar.Put(t.Context(), calendar.PutRequest{By: alice, Ref: calendar.Ref{Owner: alice.Account, Collection: "default", Name: "party.ics"}, Data: []byte(event)}); err != nil {
		t.Fatal(err)
	}
	o.invited["t1"] = store.Entry{ID: 1, Account: alice.Account, UID: "party", To: "mailto:dave@elsewhere.test"}
	ask := func(accept string, form url.Values) string {
		t.Helper()
		b := o.browser()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.url+"/rsvp/t1", nil)
		if form != nil {
			req, err = http.NewRequestWithContext(t.Context(), http.MethodPost, o.url+"/rsvp/t1", strings.NewReader(form.Encode()))
		}
		if err != nil {
			t.Fatal(err)
		}
		if form != nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Origin", o.url)
		}
		req.Header.Set("Accept-Language", accept)
		r, err := b.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		return text(t, r)
	}
	for accept, want := range map[string][]string{
		"de-CH, en;q=0.5": {`<html lang="de">`, "Freitag, 20. November 2026, 18:00", "Wöchentlich, 3-mal", ">Zusagen</button>", "Einzelne Termine"},
		"fr":              {`<html lang="fr">`, "vendredi 20 novembre 2026, 18:00", "Chaque semaine, 3 fois", ">Accepter</button>"},
		"es":              {`<html lang="es">`, "viernes, 20 de noviembre de 2026, 18:00", ">Aceptar</button>"},
		"ja":              {`<html lang="en">`, "Friday, 20 November 2026, 18:00", ">Accept</button>"},
	} {
		body := ask(accept, nil)
		for _, s := range want {
			if !strings.Contains(body, s) {
				t.Errorf("%s: the page lacks %q:\n%s", accept, s, body)
			}
		}
	}
	if body := ask("de", url.Values{"answer": {"ACCEPTED"}}); !strings.Contains(body, "Ihre Antwort wurde gesendet: zugesagt.") {
		t.Errorf("an answer is thanked for with\n%s", body)
	}
	if body := ask("de", url.Values{"answer": {"WITHDRAW"}, "proposal": {"x"}}); !strings.Contains(body, "Sagen Sie, welchen Vorschlag Sie zurücknehmen.") {
		t.Errorf("a refusal is worded\n%s", body)
	}
}

// Whatever the template of the page says has a row.
func TestGuestPagePhrases(t *testing.T) {
	german, _ := phrase.Of("de")
	list := regexp.MustCompile(`\.T "([^"]*)"`).FindAllStringSubmatch(guestPageText, -1)
	for _, m := range list {
		if german.Say(m[1]) == m[1] {
			t.Errorf("%q has no translation", m[1])
		}
	}
	if len(list) < 40 {
		t.Errorf("only %d phrases were found", len(list))
	}
	for _, s := range answerWords {
		if german.Say(s) == s {
			t.Errorf("%q has no translation", s)
		}
	}
}
