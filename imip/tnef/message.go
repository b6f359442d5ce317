package tnef

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Message is a meeting message as Outlook keeps it.
type Message struct {
	Class                      string // "IPM.Schedule.Meeting.Request" and the like
	Subject                    string
	Body                       string
	Location                   string
	UID                        string    // as Outlook writes it into iCalendar (MS-OXCICAL 2.1.3.1.1.20.26)
	Start, End                 time.Time // UTC
	AllDay                     bool
	Sequence                   int
	Instance                   time.Time // the original start of the one occurrence it is about, UTC; zero = all of it
	OneInstance                bool      // it is about one occurrence, whether Instance is known or not
	Stamp                      time.Time // when its sender wrote it
	Zone                       string    // Windows name or description of its zone; "" = unknown
	Recurrence                 []byte    // the pattern (MS-OXOCAL 2.2.1.44); nil = once
	Recurring                  bool
	Proposal                   bool // a response that proposes another time
	ProposedStart, ProposedEnd time.Time
	NoReply                    bool // no answer is asked for
	Organizer                  Recipient
	Recipients                 []Recipient
}

// Recipient is a person in a message.
type Recipient struct {
	Name, Address string
	Kind          int  // 1 required, 2 optional, 3 resource (MS-OXCMSG 2.2.3.1)
	Organizer     bool // the organizer's own line
}

// Classes of messages. Those of the first Exchange have other names
// (MS-OXTNEF 2.1.3.3.17).
const (
	ClassRequest   = "IPM.Schedule.Meeting.Request"
	ClassCanceled  = "IPM.Schedule.Meeting.Canceled"
	ClassAccepted  = "IPM.Schedule.Meeting.Resp.Pos"
	ClassDeclined  = "IPM.Schedule.Meeting.Resp.Neg"
	ClassTentative = "IPM.Schedule.Meeting.Resp.Tent"
)

var oldClasses = map[string]string{
	"ipm.microsoft schedule.mtgreq": ClassRequest, "ipm.microsoft schedule.mtgcncl": ClassCanceled, "ipm.microsoft schedule.mtgrespp": ClassAccepted,
	"ipm.microsoft schedule.mtgrespn": ClassDeclined, "ipm.microsoft schedule.mtgrespa": ClassTentative,
}

var classes = []string{ClassRequest, ClassCanceled, ClassAccepted, ClassDeclined, ClassTentative}

// canonicalClass is the name in today's spelling, or itself.
func canonicalClass(s string) string {
	s = strings.TrimSpace(s)
	if c, ok := oldClasses[strings.ToLower(s)]; ok {
		return c
	}
	for _, c := range classes {
		if strings.EqualFold(s, c) {
			return c
		}
	}
	return s
}

// Scheduling tells whether the message is one of a meeting.
func (m *Message) Scheduling() bool {
	for _, c := range classes {
		if m.Class == c {
			return true
		}
	}
	return false
}

// Sets of named properties (MS-OXPROPS 1.3.2), as they stand in a stream.
const (
	appointment = "\x02\x20\x06\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
	meeting     = "\x90\xda\xd8\x6e\x0b\x45\x1b\x10\x98\xda\x00\xaa\x00\x3f\x13\x05"
	common      = "\x08\x20\x06\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"
)

// Properties by their names in MS-OXPROPS.
var (
	messageClass    = tag{id: 0x001a}
	subject         = tag{id: 0x0037}
	body            = tag{id: 0x1000}
	startDate       = tag{id: 0x0060}
	endDate         = tag{id: 0x0061}
	responseWanted  = tag{id: 0x0063}
	codePageTag     = tag{id: 0x3fde}
	sentFor         = tag{id: 0x0042} // representing: name, type and address
	sentForType     = tag{id: 0x0064}
	sentForAddress  = tag{id: 0x0065}
	sentForSMTP     = tag{id: 0x5d02}
	submitTime      = tag{id: 0x0039}
	displayName     = tag{id: 0x3001}
	addressType     = tag{id: 0x3002}
	emailAddress    = tag{id: 0x3003}
	smtpAddress     = tag{id: 0x39fe}
	recipientType   = tag{id: 0x0c15}
	recipientFlags  = tag{id: 0x5ffd}
	sequence        = tag{appointment, 0x8201}
	location        = tag{appointment, 0x8208}
	startWhole      = tag{appointment, 0x820d}
	endWhole        = tag{appointment, 0x820e}
	allDay          = tag{appointment, 0x8215}
	recurrence      = tag{appointment, 0x8216}
	recurring       = tag{appointment, 0x8223}
	replaceTime     = tag{appointment, 0x8228}
	zoneDescription = tag{appointment, 0x8234}
	proposedStart   = tag{appointment, 0x8250}
	proposedEnd     = tag{appointment, 0x8251}
	counterProposal = tag{appointment, 0x8257}
	zoneStart       = tag{appointment, 0x825e}
	zoneRecur       = tag{appointment, 0x8260}
	attendeeChange  = tag{meeting, 0x0001}
	where           = tag{meeting, 0x0002}
	globalID        = tag{meeting, 0x0003}
	isException     = tag{meeting, 0x000a}
	ownerChange     = tag{meeting, 0x001a}
	cleanGlobalID   = tag{meeting, 0x0023}
	commonStart     = tag{common, 0x8516}
	commonEnd       = tag{common, 0x8517}
)

// flagOrganizer of PidTagRecipientFlags (MS-OXOCAL 2.2.4.10.1).
const flagOrganizer = 2

// Decode reads a stream. The error wraps [ErrFormat].
func Decode(data []byte) (*Message, error) {
	atts, err := attributes(data)
	if err != nil {
		return nil, err
	}
	l := list{codePage: 1252}
	if b := atts[attOemCodepage]; len(b) >= 4 {
		l.codePage = (&reader{data: b}).u32()
	}
	if b, ok := atts[attMsgProps]; ok {
		if l.values, err = properties(&reader{data: b}); err != nil {
			return nil, err
		}
	}
	if v, ok := l.values[codePageTag]; ok && len(v.data) == 4 {
		if n := (&reader{data: v.data}).u32(); codePages[n] != "" {
			l.codePage = n
		}
	}
	m := &Message{
		Class:    canonicalClass(firstOf(narrow(atts[attMessageClass], l.codePage), l.text(messageClass))),
		Subject:  firstOf(l.text(subject), narrow(atts[attSubject], l.codePage)),
		Body:     firstOf(l.text(body), narrow(clip(atts[attBody]), l.codePage)),
		Location: firstOf(l.text(location), l.text(where)),
		Start:    firstTime(l.time(startWhole), l.time(commonStart), l.time(startDate)),
		End:      firstTime(l.time(endWhole), l.time(commonEnd), l.time(endDate)),
		AllDay:   l.flag(allDay), Recurring: l.flag(recurring), Proposal: l.flag(counterProposal),
		Sequence: int(int32(l.number(sequence))), Recurrence: l.values[recurrence].data,
		ProposedStart: l.time(proposedStart), ProposedEnd: l.time(proposedEnd),
		Zone: firstOf(zoneName(l.values[zoneRecur].data), zoneName(l.values[zoneStart].data), l.text(zoneDescription)),
	}
	if v, ok := l.values[responseWanted]; ok {
		m.NoReply = len(v.data) > 0 && v.data[0] == 0
	}
	m.Stamp = firstTime(l.time(ownerChange), l.time(submitTime), attTime(atts[attDateSent]))
	if strings.Contains(m.Class, ".Resp.") {
		m.Stamp = firstTime(l.time(attendeeChange), l.time(submitTime), attTime(atts[attDateSent]))
	}
	m.identify(l)
	m.Organizer = Recipient{Name: l.text(sentFor), Address: l.text(sentForSMTP)}
	if m.Organizer.Address == "" && strings.EqualFold(l.text(sentForType), "SMTP") {
		m.Organizer.Address = l.text(sentForAddress)
	}
	for _, b := range [][]byte{atts[attSentFor], atts[attOwner]} {
		if m.Organizer.Address == "" {
			m.Organizer = person(b, l.codePage)
		}
	}
	if b, ok := atts[attRecipTable]; ok {
		if m.Recipients, err = recipients(b, l.codePage); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// identify reads which meeting, and which occurrence of it, it is about
// (MS-OXOCAL 2.2.1.27).
func (m *Message) identify(l list) {
	id := l.values[globalID].data
	clean := l.values[cleanGlobalID].data
	if clean == nil {
		clean = id
	}
	m.UID = uidOf(clean)
	m.OneInstance = l.flag(isException)
	if len(id) >= 20 && (id[16]|id[17]|id[18]|id[19]) != 0 {
		m.OneInstance = true
	}
	if m.OneInstance {
		m.Instance = l.time(replaceTime)
	}
}

// uidOf is the UID of a global object identifier: the foreign one that lies in
// it, or its octets without the date of an occurrence (MS-ASEMAIL 3.1.4.7).
func uidOf(id []byte) string {
	const head, foreign = 40, "vCal-Uid\x01\x00\x00\x00"
	if len(id) < head || len(id) > 1024 {
		return ""
	}
	if data := id[head:]; strings.HasPrefix(string(data), foreign) {
		uid, _, _ := strings.Cut(string(data[len(foreign):]), "\x00")
		return strings.ToValidUTF8(uid, "")
	}
	id = append([]byte(nil), id...)
	clear(id[16:20])
	return strings.ToUpper(hex.EncodeToString(id))
}

// list is a list of properties with what reading them takes.
type list struct {
	values   map[tag]value
	codePage uint32
}

func (l list) text(t tag) string { return strings.TrimSpace(l.values[t].text(l.codePage)) }

func (l list) number(t tag) uint32 {
	if v := l.values[t]; len(v.data) >= 4 && (v.kind == ptLong || v.kind == ptShort) {
		return (&reader{data: v.data}).u32()
	}
	return 0
}

func (l list) flag(t tag) bool {
	v := l.values[t]
	return v.kind == ptBoolean && len(v.data) > 0 && v.data[0] != 0
}

// fileTimeEpoch is 1 January 1601, from which FILETIME counts 100 nanoseconds.
var fileTimeEpoch = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)

// maxFileTime is the year 4500, in which Outlook's "never" lies.
const maxFileTime = 0x0cb34557a3dd4000

func (l list) time(t tag) time.Time {
	v := l.values[t]
	if v.kind != ptTime || len(v.data) != 8 {
		return time.Time{}
	}
	n := (&reader{data: v.data}).u64()
	if n == 0 || n >= maxFileTime {
		return time.Time{}
	}
	const second = 10_000_000
	return fileTimeEpoch.AddDate(0, 0, int(n/second/86400)).Add(time.Duration(n/second%86400) * time.Second)
}

// attTime is a date of an attribute of its own: seven numbers, in UTC
// (MS-OXTNEF 2.1.3.3.4).
func attTime(b []byte) time.Time {
	r := reader{data: b}
	year, month, day, hour, minute, second := r.u16(), r.u16(), r.u16(), r.u16(), r.u16(), r.u16()
	if r.short || year < 1601 || year > 4500 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}
	}
	return time.Date(int(year), time.Month(month), int(day), int(hour), int(minute), int(second), 0, time.UTC)
}

// person reads attOwner and attSentFor: a name and "SMTP:address", each with
// its length (MS-OXTNEF 2.1.3.3.10).
func person(b []byte, codePage uint32) Recipient {
	r := reader{data: b}
	name := r.bytes(int64(r.u16()))
	address := narrow(r.bytes(int64(r.u16())), codePage)
	kind, mail, ok := strings.Cut(address, ":")
	if !ok || !strings.EqualFold(kind, "SMTP") {
		mail = ""
	}
	return Recipient{Name: narrow(name, codePage), Address: mail}
}

// recipients reads attRecipTable: a list of properties for each.
func recipients(b []byte, codePage uint32) ([]Recipient, error) {
	r := &reader{data: b}
	count := r.u32()
	if count > maxRecipients {
		return nil, fmt.Errorf("%w: more than %d recipients", ErrFormat, maxRecipients)
	}
	var out []Recipient
	for range count {
		values, err := properties(r)
		if err != nil {
			return nil, err
		}
		l := list{values, codePage}
		p := Recipient{Name: l.text(displayName), Address: l.text(smtpAddress), Kind: int(l.number(recipientType) & 0xf), Organizer: l.number(recipientFlags)&flagOrganizer != 0}
		if p.Address == "" && strings.EqualFold(l.text(addressType), "SMTP") {
			p.Address = l.text(emailAddress)
		}
		out = append(out, p)
	}
	return out, nil
}

// zoneName is the name in a zone definition (MS-OXOCAL 2.2.1.41); "" if it is
// none.
func zoneName(b []byte) string {
	r := reader{data: b}
	r.u8() // version
	r.u8()
	r.u16() // length of the header
	if flags := r.u16(); flags&2 == 0 {
		return ""
	}
	n := int64(r.u16())
	return strings.TrimSpace(value{ptUnicode, r.bytes(2 * n)}.text(0))
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

func firstTime(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func clip(b []byte) []byte {
	if len(b) > maxText {
		return b[:maxText]
	}
	return b
}
