package imip

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/imip/phrase"
	"github.com/convene-cal/convene/itip"
)

// The texts of some mails in each language, as they are read. `go test ./imip
// -update` writes them anew; have somebody who speaks the language look at them.
func TestTextsInEachLanguage(t *testing.T) {
	anne, ben := "anne@one.test", "ben@two.test"
	series := message(t, itip.Request, anne, ben, lines(timed, guest, []string{"RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TH;COUNT=5", "CONFERENCE;VALUE=URI;FEATURE=PHONE,MODERATOR;LABEL=Dial-in:tel:+49-30-1234,,56#", "CONFERENCE;VALUE=URI:https://meet.one.test/x"})...)
	changed := message(t, itip.Request, anne, ben, lines(timed, guest, []string{"RRULE:FREQ=MONTHLY;BYDAY=-1TH;UNTIL=20261231T090000Z"})...)
	changed.Changes = []itip.Difference{
		{Property: "DTSTART", Old: "20260702T070000Z", New: "20260702T080000Z"},
		{Property: "RRULE", Old: "Every week", New: "Every month on the last Thursday until 31 December 2026"},
		{Property: "STATUS", Old: "TENTATIVE", New: "CONFIRMED"},
		{Property: "EXDATE", New: "20260903T080000Z"},
		{Property: "LOCATION", Old: "Room 4"},
		{Property: "PARTSTAT", Old: "NEEDS-ACTION", New: "ACCEPTED", Attendee: "mailto:cat@two.test"},
	}
	one := message(t, itip.Cancel, anne, ben, lines(timed[:3], guest, []string{"STATUS:CANCELLED", "RECURRENCE-ID;TZID=Europe/Berlin:20260702T100000"})...)
	one.RecurrenceID = "20260702T080000Z"
	days := message(t, itip.Request, anne, ben, lines([]string{"DTSTART;VALUE=DATE:20260702", "DTEND;VALUE=DATE:20260704", "SUMMARY:"}, guest)...)
	reply := message(t, itip.Reply, ben, anne, lines(timed[:3], []string{"ATTENDEE;CN=Ben;PARTSTAT=TENTATIVE:mailto:ben@two.test", "COMMENT:Vielleicht."})...)
	counter := message(t, itip.Counter, ben, anne, lines(timed, guest)...)
	for _, tag := range phrase.Tags() {
		t.Run(tag, func(t *testing.T) {
			var all bytes.Buffer
			for _, m := range []itip.Message{series, changed, one, days, reply, counter} {
				o := options(t, m.From.Email(), "Änne Example", m.To.Email(), "")
				if m.From.Email() == ben {
					o.From.Name = "Ben"
				}
				o.Language = tag
				if m.Method == itip.Request {
					o.RSVPURL = "https://cal.one.test/rsvp/0123"
				}
				out, err := Compose(m, o)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Contains(out.Raw, []byte("\r\nContent-Language: "+tag+"\r\n")) {
					t.Errorf("the mail does not say that it is in %s", tag)
				}
				if p, err := Parse(out.Raw, Limits{}); err != nil || len(p.Found) != 1 || p.Found[0].Method != m.Method {
					t.Errorf("our own mail is read as %+v (%v)", p, err)
				}
				all.WriteString("Subject: " + out.Subject + "\n\n" + strings.ReplaceAll(plainOf(t, out.Raw), "\r\n", "\n") + "\n=====\n\n")
			}
			golden := filepath.Join("testdata", "texts", tag+".txt")
			if *update {
				if err := os.WriteFile(golden, all.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || !bytes.Equal(want, all.Bytes()) {
				t.Errorf("differs from %s (%v):\n%s", golden, err, all.String())
			}
		})
	}
}

// plainOf is the text/plain of a mail, decoded.
func plainOf(t *testing.T, raw []byte) string {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, contentType, encoding := io.Reader(m.Body), m.Header.Get("Content-Type"), ""
	for {
		kind, params, err := mime.ParseMediaType(contentType)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(kind, "multipart/") {
			break
		}
		part, err := multipart.NewReader(text, params["boundary"]).NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		text, contentType, encoding = part, part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding")
	}
	b, err := io.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(decodeTransfer(b, encoding))
}

// Whatever the engine says in a mail has words in every language: no label, no
// name of a day and no rule stays English.
func TestEveryPhraseHasARow(t *testing.T) {
	german, _ := phrase.Of("de")
	for key, p := range phrases {
		for _, english := range []string{p.prefix, p.line} {
			if german.Say(english) == english {
				t.Errorf("%s: %q has no translation", key, english)
			}
		}
	}
	reader := itip.Reader{Translate: func(english string) string {
		if said := german.Say(english); said != english || unchanged[english] {
			return said
		}
		t.Errorf("%q has no translation", english)
		return english
	}}
	for _, property := range []string{"DTSTART", "DTEND", "DUE", "RRULE", "RDATE", "EXDATE", "SUMMARY", "LOCATION", "DESCRIPTION", "URL", "CONFERENCE", "ATTACH", "GEO", "PRIORITY", "RESOURCES", "CLASS", "CONTACT", "ATTENDEE", "COMMENT", "ORGANIZER"} {
		reader.Words(itip.Difference{Property: property, Old: "x"})
		reader.Words(itip.Difference{Property: property, New: "20260702T080000Z"})
	}
	for _, status := range []string{"ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED", "NEEDS-ACTION", "COMPLETED", "IN-PROCESS"} {
		reader.Words(itip.Difference{Property: "PARTSTAT", Old: status, New: status})
	}
	for _, status := range []string{"CONFIRMED", "TENTATIVE", "CANCELLED", "NEEDS-ACTION", "COMPLETED", "IN-PROCESS"} {
		reader.Words(itip.Difference{Property: "STATUS", Old: status, New: status})
	}
	for _, rule := range []string{
		"FREQ=SECONDLY", "FREQ=SECONDLY;INTERVAL=3", "FREQ=MINUTELY", "FREQ=MINUTELY;INTERVAL=3;BYHOUR=9,10;BYSECOND=1", "FREQ=HOURLY;UNTIL=20260503T120000Z", "FREQ=HOURLY;INTERVAL=3;BYMINUTE=1,2;BYSECOND=1,2",
		"FREQ=DAILY;COUNT=1", "FREQ=DAILY;INTERVAL=2;COUNT=3", "FREQ=DAILY;INTERVAL=3;BYHOUR=9;BYMINUTE=5", "FREQ=DAILY;BYHOUR=9,10", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SA,SU",
		"FREQ=MONTHLY", "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=1,2,3,4,-1,-2,-3,-4,-21", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1",
		"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=2", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1", "FREQ=YEARLY", "FREQ=YEARLY;INTERVAL=2;BYMONTH=5,6;BYMONTHDAY=1", "FREQ=YEARLY;BYDAY=2MO", "FREQ=YEARLY;BYYEARDAY=100;BYSETPOS=1", "FREQ=YEARLY;BYWEEKNO=20",
		"FREQ=YEARLY;BYWEEKNO=20,21", "FREQ=YEARLY;BYWEEKNO=-1", "FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR", "FREQ=YEARLY;BYMONTHDAY=13", "FREQ=YEARLY;BYMONTH=1,2,3,4,7,8,9,10,11,12", "RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L,13;SKIP=FORWARD",
		"RSCALE=CHINESE;FREQ=YEARLY;SKIP=BACKWARD", "RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=1;BYMONTH=2;BYSETPOS=1",
	} {
		cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20260503\r\nRRULE:" + rule + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		if s := reader.Summarize(cal); s.Repeats == "" {
			t.Errorf("%s has no words", rule)
		}
	}
}

// unchanged are the phrases that German writes like English.
var unchanged = map[string]bool{"April": true, "August": true, "September": true, "November": true, "Status": true, "Position": true, "Link": true, "%d:%02d": true, "15:04": true}
