package imip

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/convene-cal/convene/internal/harness/shared"
)

// object is a small calendar object for building mails.
func object(method, uid string, more ...string) string {
	lines := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN"}
	if method != "" {
		lines = append(lines, "METHOD:"+method)
	}
	lines = append(lines, "BEGIN:VEVENT", "UID:"+uid, "DTSTAMP:20260701T120000Z", "DTSTART:20260702T080000Z", "DTEND:20260702T090000Z",
		"SUMMARY:Planning", "ORGANIZER:mailto:ann@one.test", "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ben@two.test")
	lines = append(lines, more...)
	return strings.Join(append(lines, "END:VEVENT", "END:VCALENDAR", ""), "\r\n")
}

const head = "From: Ann <ann@one.test>\r\nTo: ben@two.test\r\nSubject: Planning\r\nMessage-ID: <m1@one.test>\r\nMIME-Version: 1.0\r\n"

func mixed(boundary string, parts ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n", boundary)
	for _, p := range parts {
		fmt.Fprintf(&b, "--%s\r\n%s\r\n", boundary, p)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.String()
}

func calendar(contentType, object string) string {
	return "Content-Type: " + contentType + "\r\n\r\n" + object
}

// found sums up what Parse made of a mail: "REQUEST:uid" or "REQUEST:uid!reason".
func found(p *Parsed) string {
	var s []string
	for _, f := range p.Found {
		one := string(f.Method) + ":" + f.Calendar.UID()
		if f.Reason != "" {
			one += "!" + f.Reason
		}
		s = append(s, one)
	}
	return strings.Join(s, " ")
}

func TestParseFindsTheCalendar(t *testing.T) {
	request := object("REQUEST", "u1")
	plain := "Content-Type: text/plain\r\n\r\nHello\r\n"
	for _, c := range []struct{ name, mail, want string }{
		{"the mail is the calendar", head + calendar("text/calendar; method=REQUEST; charset=UTF-8", request), "REQUEST:u1"},
		{"line feeds only", strings.ReplaceAll(head+mixed("b", plain, calendar("text/calendar; method=REQUEST", request)), "\r\n", "\n"), "REQUEST:u1"},
		{"missing closing boundary", head + strings.TrimSuffix(mixed("b", plain, calendar("text/calendar; method=REQUEST", request)), "--b--\r\n"), "REQUEST:u1"},
		{"closing boundary without its end", head + strings.TrimSuffix(mixed("b", calendar("text/calendar; method=REQUEST", request)), "--\r\n"), "REQUEST:u1"},
		{"boundary that begins with dashes", head + mixed("--b--b", calendar("text/calendar; method=REQUEST", request)), "REQUEST:u1"},
		{"blank line before the part's header", head + mixed("b", "\r\n"+calendar("text/calendar; method=REQUEST", request)), "REQUEST:u1"},
		{"no boundary parameter", head + strings.Replace(mixed("b", calendar("text/calendar; method=REQUEST", request)), `; boundary="b"`, "", 1), "REQUEST:u1"},
		{"duplicate component parameters", head + calendar("text/calendar; component=vevent; component=vtodo; method=REQUEST", request), "REQUEST:u1"},
		{"unquoted name with blanks", head + calendar("text/calendar; name=meeting request.ics; method=REQUEST", request), "REQUEST:u1"},
		{"missing semicolon", head + calendar("text/calendar charset=utf-8 method=REQUEST", request), "REQUEST:u1"},
		{"missing semicolon between parameters", head + calendar(`text/calendar; charset="utf-8" method=REQUEST`, request), "REQUEST:u1"},
		{"trailing semicolon and odd case", head + calendar("TeXt/CaLeNdAr; METHOD=request;", request), "REQUEST:u1"},
		{"RFC 2231 parameter", head + calendar("text/calendar; method*=us-ascii'en'REQ%55EST", request), "REQUEST:u1"},
		{"fold without its blank", head + "Content-Type: text/calendar;\r\nmethod=REQUEST\r\n\r\n" + request, "REQUEST:u1"},
		{"no blank line after the header", head + "Content-Type: text/calendar; method=REQUEST\r\n" + request, "REQUEST:u1"},
		{"method parameter stripped on the way", head + calendar("text/calendar", request), "REQUEST:u1"},
		{"footer of a list", head + calendar("text/calendar; method=REQUEST", "\r\n"+request+"_______\r\nlist mailing list\r\n"), "REQUEST:u1"},
		{"nested", head + mixed("o", strings.TrimSuffix(mixed("i", plain, strings.TrimSuffix(mixed("ii", calendar("text/calendar; method=REQUEST", request)), "\r\n")), "\r\n")), "REQUEST:u1"},
		{"base64 without padding and with junk", head + "Content-Type: text/calendar; method=REQUEST\r\nContent-Transfer-Encoding: BASE64\r\n\r\n" + strings.TrimRight(base64Of(request), "=") + "\r\n!!\r\n", "REQUEST:u1"},
		{"quoted-printable", head + "Content-Type: text/calendar; method=REQUEST\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.ReplaceAll(strings.ReplaceAll(request, "=", "=3D"), "SUMM", "SU=\r\nMM"), "REQUEST:u1"},
		{"mbox separator", "From ann@one.test Thu Jul  2 08:00:00 2026\r\n" + head + calendar("text/calendar; method=REQUEST", request), "REQUEST:u1"},

		{"methods differ", head + calendar("text/calendar; method=CANCEL", request), "REQUEST:u1!inconsistent-method"},
		{"only the part has a method", head + calendar("text/calendar; method=REQUEST", object("", "u1")), "REQUEST:u1!method-from-header"},
		{"no method", head + calendar("text/calendar", object("", "u1")), ":u1!no-method"},
		{"no such method", head + calendar("text/calendar; method=FROB", object("FROB", "u1")), "FROB:u1!unknown-method"},
		{"named .ics, another type", head + mixed("b", plain, "Content-Type: application/octet-stream; name=\"invite.ics\"\r\n\r\n"+request), "REQUEST:u1!attached"},
		{"text that is a calendar", head + "\r\n" + request, "REQUEST:u1!attached"},
		{"forwarded as attachment", head + mixed("b", plain, "Content-Type: message/rfc822\r\n\r\n"+head+calendar("text/calendar; method=REQUEST", request)), "REQUEST:u1!forwarded"},
		{"application/ics alone", head + mixed("b", calendar("application/ics; name=invite.ics", request)), "REQUEST:u1"},
		{"events and to-dos in one object", head + calendar("text/calendar; method=REQUEST", strings.Replace(request, "END:VCALENDAR", "BEGIN:VTODO\r\nUID:u2\r\nDTSTAMP:20260701T120000Z\r\nEND:VTODO\r\nEND:VCALENDAR", 1)), "REQUEST:u1!mixed-components REQUEST:u2!mixed-components"},

		{"the same as calendar and file", head + mixed("b", strings.TrimSuffix(strings.Replace(mixed("a", plain, calendar("text/calendar; method=REQUEST", request)), "mixed", "alternative", 1), "\r\n"), calendar("application/ics", request)), "REQUEST:u1"},
		{"file rewritten on the way", head + mixed("b", calendar("text/calendar; method=REQUEST", strings.Replace(request, "SUMMARY:Planning", "SUMMARY;LANGUAGE=en-US:Planning\r\nX-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE", 1)), calendar("application/ics", request)), "REQUEST:u1"},
		{"different events in mixed", head + mixed("b", calendar("text/calendar; method=REQUEST", request), calendar("text/calendar; method=CANCEL", object("CANCEL", "u2"))), "REQUEST:u1 CANCEL:u2"},
		{"series and override in mixed", head + mixed("b", calendar("text/calendar; method=REQUEST", request), calendar("text/calendar; method=REQUEST", object("REQUEST", "u1", "RECURRENCE-ID:20260709T080000Z"))), "REQUEST:u1 REQUEST:u1"},
		{"several UIDs in one object", head + calendar("text/calendar; method=REQUEST", strings.Replace(request, "END:VCALENDAR\r\n", "", 1)+strings.SplitAfter(object("REQUEST", "u2"), "METHOD:REQUEST\r\n")[1]), "REQUEST:u1 REQUEST:u2"},
		{"several objects in one part", head + calendar("text/calendar; method=REQUEST", request+object("REQUEST", "u2")), "REQUEST:u1 REQUEST:u2"},
		{"several objects, one event", head + calendar("text/calendar; method=REQUEST", request+object("REQUEST", "u1", "SEQUENCE:1")), "REQUEST:u1!several-objects REQUEST:u1!several-objects"},
		{"alternatives of one another", head + strings.Replace(mixed("a", calendar("text/calendar; method=REQUEST", request), calendar("text/calendar; method=REQUEST", object("REQUEST", "u1", "SUMMARY;LANGUAGE=de:Planung"))), "mixed", "alternative", 1), "REQUEST:u1"},
		{"two answers in one mail", head + mixed("b", calendar("text/calendar; method=REPLY", object("REPLY", "u1", "ATTENDEE;PARTSTAT=DECLINED:mailto:cat@two.test")), calendar("text/calendar; method=REPLY", object("REPLY", "u1"))), "REPLY:u1 REPLY:u1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse([]byte(c.mail), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if got := found(p); got != c.want {
				t.Errorf("found %q, want %q (sentence %q, notes %q)\n%s", got, c.want, p.Sentence, p.Notes, c.mail)
			}
			if p.From != "mailto:ann@one.test" || p.MessageID != "m1@one.test" {
				t.Errorf("From %q, Message-ID %q", p.From, p.MessageID)
			}
		})
	}
}

func TestParseSaysWhyThereIsNothing(t *testing.T) {
	for _, c := range []struct{ name, mail, want string }{
		{"no calendar", head + "\r\nSee you there!\r\n", "no calendar part"},
		{"empty", "", "no calendar part"},
		{"cut off", head + calendar("text/calendar; method=REQUEST", object("REQUEST", "u1")[:150]), "cut off"},
		{"no calendar in the calendar part", head + calendar("text/calendar; method=REQUEST", "hello"), "holds none"},
		{"encrypted", head + "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nAAAA", "encrypted"},
		{"PGP encrypted", head + strings.Replace(mixed("b", "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1"), "mixed", "encrypted", 1), "encrypted"},
		{"opaque signature", head + "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n\r\nAAAA", "opaque"},
		{"winmail.dat", head + mixed("b", "Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\n\x78\x9f\x3e\x22 IPM.Schedule.Meeting.Request"), "Set-RemoteDomain"},
		{"read receipt", head + strings.Replace(mixed("b", "Content-Type: message/disposition-notification\r\n\r\nOriginal-Message-ID: <x@y>\r\nDisposition: manual-action; displayed"), "multipart/mixed", "multipart/report; report-type=disposition-notification", 1), "read receipt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := Parse([]byte(c.mail), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Found) != 0 || !strings.Contains(p.Sentence, c.want) {
				t.Errorf("found %q, sentence %q, want one with %q", found(p), p.Sentence, c.want)
			}
		})
	}
}

func TestParseDeliveryReport(t *testing.T) {
	report := "From: MAILER-DAEMON@two.test\r\nTo: bounce@one.test\r\nMIME-Version: 1.0\r\n" + strings.Replace(mixed("b",
		"\r\nThe mail could not be delivered.\r\n",
		"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.two.test\r\nOriginal-Envelope-Id: env-7\r\n\r\nOriginal-Recipient: rfc822;ben@two.test\r\nFinal-Recipient: rfc822; ben@inside.test\r\nAction: failed (for good)\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n no such user\r\n",
		"Content-Type: message/rfc822\r\n\r\n"+strings.Replace(head, "m1@", "sent-1@", 1)+calendar("text/calendar; method=REQUEST", object("REQUEST", "u1"))),
		"multipart/mixed", "multipart/report; report-type=delivery-status", 1)
	p, err := Parse([]byte(report), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Report || len(p.Found) != 0 {
		t.Fatalf("Report %v, found %q: a report is no invitation although it holds one", p.Report, found(p))
	}
	got := fmt.Sprintf("%+v", *p.Delivery)
	want := "{Kind:delivery-status EnvelopeID:env-7 MessageID:sent-1@one.test Recipients:[{Original:ben@two.test Final:ben@inside.test Action:failed Status:5.1.1 Diagnostic:550 5.1.1 no such user}]}"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if want := "could not be delivered to ben@two.test (5.1.1): 550 5.1.1 no such user"; !strings.Contains(p.Sentence, want) {
		t.Errorf("sentence %q lacks %q", p.Sentence, want)
	}
}

func TestParseSignedMultipart(t *testing.T) {
	signed := strings.Replace(mixed("s", strings.TrimSuffix(calendar("text/calendar; method=REQUEST", object("REQUEST", "u1")), "\r\n"),
		"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nAAAA"), "multipart/mixed", "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256", 1)
	p, err := Parse([]byte(head+signed), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if found(p) != "REQUEST:u1" || p.Signed != "pkcs7" || len(p.Found[0].Signatures) != 1 {
		t.Errorf("found %q, signed %q", found(p), p.Signed)
	}
	// A calendar beside the signed part is not covered by the signature.
	p, err = Parse([]byte(head+mixed("o", strings.TrimSuffix(strings.Replace(mixed("s", "Content-Type: text/plain\r\n\r\nHi\r\n", "Content-Type: application/pkcs7-signature\r\n\r\nAAAA"), "multipart/mixed", "multipart/signed", 1), "\r\n"), calendar("text/calendar; method=REQUEST", object("REQUEST", "u1")))), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if found(p) != "REQUEST:u1" || p.Signed != "" || len(p.Found[0].Signatures) != 0 {
		t.Errorf("found %q, signed %q: the unsigned part must not profit", found(p), p.Signed)
	}
}

func TestParseCharsets(t *testing.T) {
	for _, c := range []struct{ label, octets, want string }{
		{"us-ascii", "Gr\xc3\xb6\xc3\x9fe", "Größe"}, // UTF-8 whatever the label says
		{"iso-8859-1", "Gr\xf6\xdfe", "Größe"},
		{"windows-1252", "\x80 5", "€ 5"},
		{"", "Gr\xf6\xdfe", "Größe"},
		{"no-such-charset", "Gr\xf6\xdfe", "Größe"},
		{"koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
		{"gb18030", "\xb1\xb1\xbe\xa9", "北京"},
		{"iso-2022-jp", "\x1b$B2q5D\x1b(B", "会議"},
		{"cp1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"},
	} {
		mail := head + calendar("text/calendar; method=REQUEST; charset="+c.label, strings.Replace(object("REQUEST", "u1"), "SUMMARY:Planning", "SUMMARY:"+c.octets, 1))
		p, err := Parse([]byte(mail), Limits{})
		if err != nil || len(p.Found) != 1 {
			t.Errorf("%s: %v, %q", c.label, err, p.Sentence)
			continue
		}
		if got := p.Found[0].Calendar.Main()[0].Text("SUMMARY"); got != c.want {
			t.Errorf("charset %q: got %q, want %q", c.label, got, c.want)
		}
	}
	utf16 := "\xff\xfe"
	for _, r := range object("REQUEST", "u1") {
		utf16 += string([]byte{byte(r), 0})
	}
	p, err := Parse([]byte(head+calendar("text/calendar; method=REQUEST; charset=utf-16", utf16)), Limits{})
	if err != nil || found(p) != "REQUEST:u1" {
		t.Errorf("UTF-16: %v, %q, %q", err, found(p), p.Sentence)
	}
}

func TestParseLimits(t *testing.T) {
	deep := calendar("text/calendar; method=REQUEST", object("REQUEST", "u1"))
	for i := range 25 {
		deep = strings.TrimSuffix(mixed(fmt.Sprintf("b%dx", i), deep), "\r\n")
	}
	many := make([]string, 250)
	for i := range many {
		many[i] = "Content-Type: text/plain\r\n\r\nx"
	}
	for name, mail := range map[string]string{"deep": head + deep, "many": head + mixed("b", many...), "large": head + "\r\n" + strings.Repeat("x", 26<<20)} {
		if _, err := Parse([]byte(mail), Limits{}); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: error %v, want ErrLimit", name, err)
		}
	}
	p, err := Parse([]byte(head+calendar("text/calendar; method=REQUEST", object("REQUEST", "u1", "DESCRIPTION:"+strings.Repeat("x", 2<<20)))), Limits{})
	if err != nil || len(p.Found) != 0 || !strings.Contains(p.Sentence, "octets") {
		t.Errorf("large calendar: %v, %q", err, p.Sentence)
	}
}

func TestParseIdentity(t *testing.T) {
	for _, c := range []struct{ fields, want string }{
		{"From: \"ann@one.test\" <eve@evil.test>\r\n", "mailto:eve@evil.test"},
		{"From: eve@evil.test (ann@one.test)\r\n", "mailto:eve@evil.test"},
		{"From: =?utf-8?q?ann=40one=2Etest?= <eve@evil.test>\r\n", "mailto:eve@evil.test"},
		{"From: ann@one.test\r\nFrom: eve@evil.test\r\n", ""},
		{"From: ann@one.test, eve@evil.test\r\n", ""},
		{"From: <ann@one.test><eve@evil.test>\r\n", ""},
		{"From: a..b@docomo.test\r\n", "mailto:a..b@docomo.test"},
		{"Reply-To: ann@one.test\r\n", ""},
	} {
		p, err := Parse([]byte(c.fields+"\r\nx"), Limits{})
		if err != nil || string(p.From) != c.want {
			t.Errorf("%q: From %q, want %q (%v)", c.fields, p.From, c.want, err)
		}
	}
}

// The examples of the standards are understood or refused with a sentence.
func TestExamplesOfTheStandards(t *testing.T) {
	for _, c := range []struct {
		file string
		want []string // one for each mail among the examples of section 4, in order
	}{
		{"draft-ietf-calsch-imip-04.txt", []string{
			"REQUEST:www.acme.com-873970198738777",
			"REQUEST:www.acme.com-8739701987387771",
			"REQUEST:www.acme.com-8739701987387771",
			"REQUEST:WWW.ACME.COM-873970198738777-1 REQUEST:WWW.ACME.COM-873970198738777-2",
			"REQUEST:www.acme.com-8739701987387772 REQUEST:www.acme.com-td-8739701987387773",
			"REQUEST:www.acme.com-873970198738777",
		}},
		{"rfc6047.txt", []string{
			"REQUEST:calsvr.example.com-8739701987387998",
			"REQUEST:calsvr.example.com-873970198738777",
			"REQUEST:calsvr.example.com-8739701987387771",
			"REQUEST:calsvr.example.com-8739701987387771",
			"PUBLISH:calsvr.example.com-873970198738777-1 PUBLISH:calsvr.example.com-873970198738777-2",
			"REQUEST:calsvr.example.com-8739701987387772 REQUEST:calsvr.example.com-td-8739701987387773",
			"REQUEST:calsvr.example.com-873970198738777-8aa",
		}},
		{"rfc2447.txt", nil},
	} {
		t.Run(c.file, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(shared.Dir(t), "specs", c.file))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, mail := range examples(string(data)) {
				p, err := Parse([]byte(mail), Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if len(p.Found) == 0 {
					t.Errorf("nothing found: %s\n%s", p.Sentence, mail)
				}
				got = append(got, found(p))
			}
			if c.want == nil && len(got) >= 6 {
				return
			}
			if g, w := strings.Join(got, "\n"), strings.Join(c.want, "\n"); g != w {
				t.Errorf("got\n%s\nwant\n%s", g, w)
			}
		})
	}
}

// examples takes the mails out of a specification: each begins with "From:",
// and ends before the next section or mail. Page breaks and indentation are
// the document's.
func examples(doc string) []string {
	var lines []string
	for _, line := range strings.Split(strings.ReplaceAll(doc, "\r", ""), "\n") {
		switch {
		case strings.Contains(line, "\f"), strings.Contains(line, "[Page "), strings.HasPrefix(line, "RFC "), strings.HasPrefix(line, "Internet Draft"), strings.HasPrefix(line, "Dawson/"), strings.HasPrefix(line, "Dawson, et"):
			// The blank lines around a page's end are none of the text.
			for len(lines) > 0 && lines[len(lines)-1] == "" {
				lines = lines[:len(lines)-1]
			}
			lines = append(lines, "\x00")
		case line == "" && len(lines) > 0 && lines[len(lines)-1] == "\x00":
		default:
			lines = append(lines, strings.TrimPrefix(line, "   "))
		}
	}
	var mails []string
	var mail []string
	end := func() {
		if len(mail) > 0 {
			mails = append(mails, strings.Join(mail, "\r\n"))
		}
		mail = nil
	}
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "From:"):
			end()
			mail = []string{line}
		case mail == nil, line == "\x00":
		case len(line) > 4 && line[0] >= '2' && line[0] <= '6' && (line[1] == '.' || line[1] == ' ') && strings.Contains(line, "  ") || strings.HasPrefix(line, "4.") && strings.Contains(line, " "), strings.HasPrefix(line, "5  Bibliography"), strings.HasPrefix(line, "2.6"):
			end()
		default:
			mail = append(mail, line)
		}
	}
	end()
	return mails
}

// Every mail of the corpus is understood, or there is a sentence.
func TestCorpusMails(t *testing.T) {
	corpus := filepath.Join(shared.Dir(t), "corpus")
	var files []string
	for dir, exts := range map[string]string{"thunderbird": ".eml", "nextcloud-mail": ".txt", "zimbra-ical": ".txt", "libical": ".mime"} {
		filepath.WalkDir(filepath.Join(corpus, dir), func(path string, d os.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == exts {
				files = append(files, path)
			}
			return nil
		})
	}
	mails, with := 0, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, raw := range Messages(data) {
			mails++
			p, err := Parse(raw, Limits{})
			if err != nil {
				t.Errorf("%s, mail %d: %v", file, i+1, err)
				continue
			}
			if len(p.Found) > 0 {
				with++
			} else if p.Sentence == "" {
				t.Errorf("%s, mail %d: nothing found and no sentence", file, i+1)
			} else {
				t.Logf("%s, mail %d: %s", file, i+1, p.Sentence)
			}
		}
	}
	if mails < 90 || with*10 < mails*9 {
		t.Errorf("%d of %d mails have a calendar object: too few", with, mails)
	}
	t.Logf("%d of %d mails have a calendar object", with, mails)
}

// Each of these took minutes while a fold copied the field before it.
func TestHugeFieldsAreReadInLinearTimeAndCut(t *testing.T) {
	invitation := "Content-Type: text/calendar; method=REQUEST\r\n\r\n" + object("REQUEST", "u1")
	for name, field := range map[string]string{
		"folds":                    "X-Long: " + strings.Repeat("\r\n abcdefgh", 1_000_000),
		"folds that lost a blank":  "X-Long: ;" + strings.Repeat("\r\nabcdefgh;", 1_000_000),
		"parameters without value": "Content-Disposition: x" + strings.Repeat("; a", 5_000_000) + "=b",
		"one line":                 "X-Long: " + strings.Repeat("a", 10_000_000),
	} {
		p, err := Parse([]byte(head+field+"\r\n"+invitation), Limits{})
		if err != nil || len(p.Found) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		for _, v := range p.Header("X-Long") {
			if len(v) > maxField {
				t.Errorf("%s: %d octets were kept", name, len(v))
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(head + mixed("b", "Content-Type: text/plain\r\n\r\nHi", calendar("text/calendar; method=REQUEST", object("REQUEST", "u1")))))
	f.Add([]byte(head + "Content-Type: text/calendar; method=REPLY\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64Of(object("REPLY", "u1"))))
	f.Add([]byte("Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;a\r\n\r\nFinal-Recipient: rfc822;a@b\r\nAction: failed\r\n--x--"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Parse(raw, Limits{})
		if err != nil {
			if !errors.Is(err, ErrLimit) {
				t.Fatalf("error %v is not a limit", err)
			}
			return
		}
		if len(p.Found) == 0 && p.Sentence == "" {
			t.Fatal("nothing found, and no sentence says why")
		}
		for _, x := range p.Found {
			if x.Calendar == nil || (x.Reason == "") != (x.Review == "") {
				t.Fatalf("%+v", x)
			}
		}
	})
}

func FuzzContentType(f *testing.F) {
	for _, s := range []string{`text/calendar; charset="utf-8"; method=REQUEST`, "text/calendar method=REQUEST;;", `a/b; n*0*=utf-8''%41; n*1="b c"`, `multipart/mixed; boundary="a\"b`, "x (c) y; a=b c=d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := parseMediaType(s)
		for name := range m.params {
			if name != strings.ToLower(name) {
				t.Fatalf("parameter %q is not in lower case", name)
			}
		}
	})
}
