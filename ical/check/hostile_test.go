package check_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/convene-cal/convene/ical/check"
)

// Places are looked for where they are told only: this line would otherwise be
// read a million times.
func TestLineOfManyFaults(t *testing.T) {
	const many = 1_000_000
	list := check.Bytes([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"+
		"SUMMARY"+strings.Repeat(";X=1", many)+":x\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"), check.Options{Max: 5})
	twice := slices.DeleteFunc(slices.Clone(list), func(f check.Finding) bool { return f.Rule != "parameter-twice" })
	if len(twice) != 5 || twice[4].Line != 7 || twice[4].Column != len("SUMMARY")+5*len(";X=1")+2 {
		t.Errorf("findings: %v", twice)
	}
	if last := list[len(list)-1]; last.Rule != "more" || !strings.Contains(last.Message, "999994 more errors") {
		t.Errorf("the last finding: %v", last)
	}
}

// What cannot be read to its end is not said to lack what may follow.
func TestCutCalendar(t *testing.T) {
	const deep = 100
	list := check.Bytes([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDUE;TZID=Home:20260101T000000\r\nEND:VTODO\r\n"+
		strings.Repeat("BEGIN:X-A\r\n", deep)+strings.Repeat("END:X-A\r\n", deep)+"END:VCALENDAR\r\n"), check.Options{})
	if len(list) != 1 || list[0].Rule != "unreadable" || list[0].Line != 9+31 {
		t.Errorf("findings: %v", list)
	}
}
