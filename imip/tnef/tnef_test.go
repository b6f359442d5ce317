package tnef

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/check"
)

var update = flag.Bool("update", false, "write testdata")

// builder writes a stream as MS-OXTNEF 2.1.3 has it.
type builder struct {
	out   []byte
	props []byte
	count uint32
}

func le16(n uint16) []byte { return binary.LittleEndian.AppendUint16(nil, n) }
func le32(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
func le64(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

func cat(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func newBuilder(class string) *builder {
	b := &builder{out: cat(le32(signature), le16(7))}
	b.att(attMessageClass, append([]byte(class), 0))
	b.att(attOemCodepage, cat(le32(1252), le32(0)))
	return b
}

func (b *builder) att(id uint32, data []byte) *builder {
	b.out = cat(b.out, []byte{levelMessage}, le32(id), le32(uint32(len(data))), data, le16(checksum(data)))
	return b
}

func pad(b []byte) []byte {
	return append(b[:len(b):len(b)], make([]byte, padded(int64(len(b)))-int64(len(b)))...)
}

// prop writes one property.
func prop(t tag, v any) []byte {
	var kind uint16
	var data []byte
	counted := func(b []byte) []byte { return cat(le32(1), le32(uint32(len(b))), pad(b)) }
	switch v := v.(type) {
	case string:
		kind = ptUnicode
		var raw []byte
		for _, u := range utf16.Encode([]rune(v + "\x00")) {
			raw = append(raw, le16(u)...)
		}
		data = counted(raw)
	case []byte:
		kind, data = ptBinary, counted(v)
	case int:
		kind, data = ptLong, le32(uint32(v))
	case bool:
		kind, data = ptBoolean, le32(map[bool]uint32{true: 1}[v])
	case time.Time:
		kind, data = ptTime, le64(uint64(v.Unix()-fileTimeEpoch.Unix())*10_000_000)
	}
	if t.set != "" {
		return cat(le16(kind), le16(0x8000), []byte(t.set), le32(0), le32(t.id), data)
	}
	return cat(le16(kind), le16(uint16(t.id)), data)
}

func (b *builder) set(t tag, v any) *builder {
	b.props = append(b.props, prop(t, v)...)
	b.count++
	return b
}

func (b *builder) bytes() []byte {
	b.att(attMsgProps, cat(le32(b.count), b.props))
	b.out = cat(b.out, []byte{2}, le32(0x00069002), le32(3), []byte("abc"), le16(0)) // an attachment follows
	return b.out
}

// guest is a row of the recipients.
func guest(name, address string, kind, flags int) []byte {
	return cat(le32(4), prop(displayName, name), prop(smtpAddress, address), prop(recipientType, kind), prop(recipientFlags, flags))
}

func zoneDefinition(name string) []byte {
	var raw []byte
	for _, u := range utf16.Encode([]rune(name)) {
		raw = append(raw, le16(u)...)
	}
	return cat([]byte{2, 1}, le16(uint16(6+len(raw))), le16(2), le16(uint16(len(raw)/2)), raw, le16(0))
}

// identifier is the one of MS-ASEMAIL 4.3, example 1: with a date, so that it is
// of one occurrence.
func identifier(t testing.TB, date bool) []byte {
	t.Helper()
	id, err := base64.StdEncoding.DecodeString("BAAAAIIA4AB0xbcQGoLgCAfUCRDgQMnBJoXEAQAAAAAAAAAAEAAAAAvw7UtuTulOnjnjhns3jvM=")
	if err != nil {
		t.Fatal(err)
	}
	if !date {
		clear(id[16:20])
	}
	return id
}

const identified = "040000008200E00074C5B7101A82E00800000000E040C9C12685C4010000000000000000100000000BF0ED4B6E4EE94E9E39E3867B378EF3"

var (
	begins = time.Date(2026, 7, 6, 7, 0, 0, 0, time.UTC) // a Monday, 09:00 in Berlin
	around = Mail{From: "mailto:dan@two.test", FromName: "Dan Two", To: []ical.Address{"mailto:ann@one.test"}, Date: time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)}
)

// minutes1601 is a day as patterns count it.
func minutes1601(t time.Time) []byte { return le32(uint32((t.Unix() - fileTimeEpoch.Unix()) / 60)) }

// weekly is the pattern of every second Monday and Thursday, ten times, one left out.
func weekly(modified uint32) []byte {
	day := time.Date(2026, 7, 6, 0, 0, 0, 0, time.UTC)
	b := cat(le16(patternVersion), le16(patternVersion), le16(0x200b), le16(patternWeek), le16(0), le32(0), le32(2), le32(0), le32(1<<1|1<<4),
		le32(endByCount), le32(10), le32(1), le32(1), minutes1601(day.AddDate(0, 0, 14)), le32(modified))
	if modified > 0 {
		b = append(b, minutes1601(day.AddDate(0, 0, 14))...)
	}
	return cat(b, minutes1601(day), minutes1601(day.AddDate(0, 0, 60)), le32(0x3006), le32(0x3009), le32(9*60), le32(10*60), le16(0))
}

func request(t testing.TB) *builder {
	return newBuilder("IPM.Microsoft Schedule.MtgReq").
		att(attRecipTable, cat(le32(3), guest("Dan Two", "dan@two.test", 1, 1|flagOrganizer), guest("Ann Example", "ann@one.test", 1, 1), guest("Room 5", "room5@two.test", 3, 1))).
		set(subject, "Planung – Größe\nzwei").set(body, "Bring numbers.\r\nFrom here, and there; all.").set(location, "Raum 5; Erdgeschoß").
		set(globalID, identifier(t, false)).set(cleanGlobalID, identifier(t, false)).set(startWhole, begins).set(endWhole, begins.Add(time.Hour)).
		set(sequence, 3).set(sentFor, "Dan Two").set(sentForSMTP, "dan@two.test").set(ownerChange, around.Date.Add(-time.Minute)).set(responseWanted, true).
		set(zoneStart, zoneDefinition("W. Europe Standard Time"))
}

// The messages that Outlook sends, as iCalendar.
func TestMeetings(t *testing.T) {
	instance := begins.AddDate(0, 0, 7)
	for _, c := range []struct {
		name string
		b    *builder
	}{
		{"request", request(t)},
		{"request-weekly", request(t).set(recurring, true).set(recurrence, weekly(0)).set(zoneRecur, zoneDefinition("W. Europe Standard Time"))},
		{"request-occurrence", newBuilder(ClassRequest).set(subject, "Planning, moved").set(globalID, identifier(t, true)).set(cleanGlobalID, identifier(t, false)).
			set(startWhole, instance.Add(2*time.Hour)).set(endWhole, instance.Add(3*time.Hour)).set(replaceTime, instance).set(isException, true).set(sequence, 4).set(zoneStart, zoneDefinition("W. Europe Standard Time"))},
		{"request-all-day", newBuilder(ClassRequest).set(subject, "Fair").set(cleanGlobalID, identifier(t, false)).set(startWhole, begins.Add(-9*time.Hour)).set(endWhole, begins.Add(15*time.Hour)).set(allDay, true).
			set(zoneDescription, "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna")},
		{"cancel", newBuilder("IPM.Microsoft Schedule.MtgCncl").set(subject, "Canceled: Planning").set(globalID, identifier(t, false)).set(startWhole, begins).set(endWhole, begins.Add(time.Hour)).set(sequence, 5)},
		{"accepted", newBuilder("IPM.Microsoft Schedule.MtgRespP").set(subject, "Accepted: Planning").set(globalID, identifier(t, false)).set(startWhole, begins).set(endWhole, begins.Add(time.Hour)).
			set(body, "I bring cake.").set(attendeeChange, around.Date.Add(-time.Hour)).set(sequence, 3)},
		{"declined-occurrence", newBuilder(ClassDeclined).set(subject, "Declined: Planning").set(globalID, identifier(t, true)).set(replaceTime, instance)},
		{"tentative", newBuilder("IPM.Microsoft Schedule.MtgRespA").set(globalID, identifier(t, false)).set(startWhole, begins)},
		{"counter", newBuilder(ClassTentative).set(subject, "New Time Proposed: Planning").set(globalID, identifier(t, false)).set(startWhole, begins).set(endWhole, begins.Add(time.Hour)).
			set(counterProposal, true).set(proposedStart, begins.Add(24*time.Hour)).set(proposedEnd, begins.Add(25*time.Hour)).set(sequence, 3)},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := c.b.bytes()
			if *update { // other packages' tests read them
				if err := os.WriteFile(filepath.Join("testdata", c.name+".dat"), stream, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			m, err := Decode(stream)
			if err != nil {
				t.Fatal(err)
			}
			cal, err := m.Calendar(around)
			if err != nil {
				t.Fatal(err)
			}
			got := cal.Bytes()
			file := filepath.Join("testdata", c.name+".ics")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || string(want) != string(got) {
				t.Errorf("%v; it is\n%s\nand should be\n%s", err, got, want)
			}
			if m.UID != identified {
				t.Errorf("UID %s", m.UID)
			}
			for _, f := range check.Check(cal, check.Options{}) {
				if f.Severity == "error" && c.name[0] == 'r' {
					t.Errorf("%s: %s", f.Rule, f.Message)
				}
			}
		})
	}
}

func TestPatterns(t *testing.T) {
	day := time.Date(2026, 7, 6, 0, 0, 0, 0, time.UTC)
	blob := func(frequency, kind uint16, period uint32, specific []byte, end, count uint32) []byte {
		return cat(le16(patternVersion), le16(patternVersion), le16(frequency), le16(kind), le16(0), le32(0), le32(period), le32(0), specific,
			le32(end), le32(count), le32(0), le32(0), le32(0), minutes1601(day), minutes1601(day.AddDate(0, 1, 0)), le32(0x3006), le32(0x3009), le32(60), le32(120), le16(0))
	}
	for _, c := range []struct {
		name string
		blob []byte
		want string // rule, "" = refused
		end  string
	}{
		{"daily for ever", blob(0x200a, patternDay, 1440, nil, endNever, 0), "FREQ=DAILY;INTERVAL=1", ""},
		{"every third day until", blob(0x200a, patternDay, 3*1440, nil, endByDate, 0), "FREQ=DAILY;INTERVAL=3", "20260806"},
		{"workdays", blob(0x200b, patternWeek, 1, le32(0x3e), endNever2, 0), "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR;WKST=SU", ""},
		{"the 6th", blob(0x200c, patternMonth, 1, le32(6), endNever, 0), "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=6", ""},
		{"the 30th, or the last", blob(0x200c, patternMonth, 2, le32(30), endNever, 0), "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=28,29,30;BYSETPOS=-1", ""},
		{"the last day", blob(0x200c, patternMonth, 1, le32(31), endNever, 0), "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=-1", ""},
		{"the second Tuesday", blob(0x200c, patternMonthNth, 1, cat(le32(4), le32(2)), endNever, 0), "FREQ=MONTHLY;INTERVAL=1;BYDAY=TU;BYSETPOS=2", ""},
		{"the last weekday", blob(0x200c, patternMonthNth, 1, cat(le32(0x3e), le32(5)), endNever, 0), "FREQ=MONTHLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ""},
		{"yearly", blob(frequencyYearly, patternMonth, 12, le32(6), endByCount, 5), "FREQ=YEARLY;INTERVAL=1;BYMONTH=7;BYMONTHDAY=6", "5"},
		{"first Monday of July", blob(frequencyYearly, patternMonthNth, 12, cat(le32(2), le32(1)), endNever, 0), "FREQ=YEARLY;INTERVAL=1;BYMONTH=7;BYDAY=MO;BYSETPOS=1", ""},
		{"changed occurrences", weekly(1), "", ""},
		{"no days", blob(0x200b, patternWeek, 1, le32(0), endNever, 0), "", ""},
		{"a Hijri month", blob(0x200c, 0xa, 1, le32(6), endNever, 0), "", ""},
		{"never at all", blob(0x200a, patternDay, 0, nil, endNever, 0), "", ""},
		{"an unknown end", blob(0x200a, patternDay, 1440, nil, 7, 0), "", ""},
		{"cut off", blob(0x200a, patternDay, 1440, nil, endNever, 0)[:40], "", ""},
		{"empty", nil, "", ""},
	} {
		p, err := readPattern(c.blob)
		end := ""
		switch {
		case err != nil:
			p.rule = ""
		case p.count > 0:
			end = "5"
		case !p.until.IsZero():
			end = p.until.Format("20060102")
		}
		if p.rule != c.want || end != c.end {
			t.Errorf("%s: %q %q %v, want %q %q", c.name, p.rule, end, err, c.want, c.end)
		}
	}
}

func TestForeignIdentifiers(t *testing.T) {
	// MS-ASEMAIL 4.3, example 2: another program's UID lies inside.
	id, err := base64.StdEncoding.DecodeString("BAAAAIIA4AB0xbcQGoLgCAAAAAAAAAAAAAAAAAAAAAAAAAAAMwAAAHZDYWwtVWlkAQAAAHs4MTQxMkQzQy0yQTI0LTRFOUQtQjIwRS0xMUY3QkJFOTI3OTl9AA==")
	if err != nil {
		t.Fatal(err)
	}
	if got := uidOf(id); got != "{81412D3C-2A24-4E9D-B20E-11F7BBE92799}" {
		t.Errorf("%q", got)
	}
	for _, bad := range [][]byte{nil, id[:39], make([]byte, 2000)} {
		if got := uidOf(bad); got != "" {
			t.Errorf("%d octets: %q", len(bad), got)
		}
	}
}

// What is no stream, or tells no meeting whole, says so.
func TestWhatCannotBeTold(t *testing.T) {
	good := request(t).bytes()
	for name, data := range map[string][]byte{
		"empty": nil, "another file": []byte("PK\x03\x04"), "a damaged attribute": []byte(strings.Replace(string(good), "MtgReq", "MtgRex", 1)),
		"too many properties": newBuilder(ClassRequest).att(attMsgProps, le32(1<<31)).out, "too many recipients": newBuilder(ClassRequest).att(attRecipTable, le32(1<<30)).out,
		"an unknown type": newBuilder(ClassRequest).att(attMsgProps, cat(le32(1), le16(0x7777), le16(1), le32(0))).out,
	} {
		if m, err := Decode(data); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %+v %v", name, m, err)
		}
	}
	for name, b := range map[string]*builder{
		"a note":                           newBuilder("IPM.Note").set(subject, "x"),
		"no identifier":                    newBuilder(ClassRequest).set(startWhole, begins),
		"no beginning":                     newBuilder(ClassRequest).set(globalID, identifier(t, false)),
		"an occurrence, which is not said": newBuilder(ClassRequest).set(globalID, identifier(t, true)).set(startWhole, begins),
		"changed occurrences":              request(t).set(recurring, true).set(recurrence, weekly(1)),
		"a series without a pattern":       request(t).set(recurring, true),
		"a series in no zone":              newBuilder(ClassRequest).set(globalID, identifier(t, false)).set(startWhole, begins).set(recurring, true).set(recurrence, weekly(0)),
	} {
		m, err := Decode(b.bytes())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if cal, err := m.Calendar(around); err == nil {
			t.Errorf("%s: told as\n%s", name, cal.Bytes())
		}
	}
}

// Whatever is in a stream, it is read or refused, and what is read is a message
// with one event.
func FuzzDecode(f *testing.F) {
	f.Add(request(f).bytes())
	f.Add(request(f).set(recurring, true).set(recurrence, weekly(0)).bytes())
	f.Add(newBuilder(ClassTentative).set(globalID, identifier(f, false)).set(startWhole, begins).set(counterProposal, true).set(proposedStart, begins).bytes())
	f.Add([]byte("\x78\x9f\x3e\x22\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		cal, err := m.Calendar(around)
		if err != nil {
			return
		}
		again, err := ical.Parse(cal.Bytes())
		if err != nil || len(again.Main()) != 1 || again.UID() != m.UID || again.Method() == "" {
			t.Fatalf("%v\n%s", err, cal.Bytes())
		}
	})
}
