package mail

import (
	"strings"
	"testing"

	"github.com/convene-cal/convene/imip"
)

// A mail is in the language of its reader where that is known, else in the one its
// sender chose.
func TestMailInTheReadersLanguage(t *testing.T) {
	relay := startRelay(t, nil)
	x := newSite(t, sqlite(t), "smtp://"+relay.addr+"?tls=none", nil)
	x.journal.Use(x.mail)
	if err := x.mail.o.Accounts.SetLanguage(t.Context(), x.ann.ID, "fr-CA"); err != nil {
		t.Fatal(err)
	}
	x.put(t, "own", annOrganizes, "ATTENDEE;LANGUAGE=de-AT;RSVP=TRUE:mailto:ben@two.test", "ATTENDEE;RSVP=TRUE:mailto:cat@two.test",
		"ATTENDEE;LANGUAGE=ja;RSVP=TRUE:mailto:dan@two.test", "ATTENDEE;LANGUAGE=en-GB;RSVP=TRUE:mailto:eve@two.test")
	got := map[string]string{}
	for _, m := range x.out(t, relay) {
		p, err := imip.Parse(m.raw, imip.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got[m.to] = strings.Join(p.Header("Content-Language"), " ") + " " + p.Subject
	}
	for to, want := range map[string]string{"ben@two.test": "de Einladung: Planning", "cat@two.test": "fr Invitation: Planning", "dan@two.test": "fr Invitation: Planning", "eve@two.test": "en Invitation: Planning"} {
		if got[to] != want {
			t.Errorf("%s got %q, want %q", to, got[to], want)
		}
	}
	if err := x.mail.o.Accounts.SetLanguage(t.Context(), x.ann.ID, "ja"); err == nil {
		t.Error("a language without texts was taken")
	}
}
