package calendar

import (
	"strings"
	"testing"
)

// The head ends where the first component begins, however many octets stand
// before it that another case or another encoding would make longer.
func TestHeadOf(t *testing.T) {
	for _, head := range []string{
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n",
		"begin:vcalendar\nX-WR-CALNAME:begin:vevent\n",
		"BEGIN:VCALENDAR\r\nX-WR-CALDESC:" + strings.Repeat("\xfc", 1000) + "\r\n",
		"BEGIN:VCALENDAR\r\n",
	} {
		for _, rest := range []string{"BEGIN:VEVENT\r\nUID:u\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", "begin:vtodo\n", ""} {
			if got := string(headOf([]byte(head + rest))); got != head {
				t.Errorf("%.40q and %q: %.80q", head, rest, got)
			}
		}
	}
}
