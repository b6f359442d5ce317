package mail

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/convene-cal/convene/internal/journal"
)

// scheduleStatus maps enhanced mail status codes (RFC 3463) to the status codes
// of RFC 6638 3.2.9. The longest matching prefix counts; the class is ignored,
// because a temporary failure that was given up is the same failure.
var scheduleStatus = map[string]string{
	"":     "5.1", // could not complete delivery
	"1":    "3.7", // addressing: no such calendar user
	"1.2":  "5.2", // bad destination system
	"1.7":  "5.3", // our address is refused
	"1.8":  "5.3",
	"2":    "5.1", // mailbox full or disabled
	"3":    "5.1",
	"3.4":  "5.2", // message too big for that system
	"4":    "5.2", // no route, no such host
	"4.7":  "5.1", // delivery time expired
	"6":    "5.2", // the content cannot be carried
	"6.7":  "5.2", // no SMTPUTF8 (RFC 6531 3.7.4)
	"7":    "5.3", // refused by policy
	"1.10": "3.7", // null MX (RFC 7505): the domain takes no mail
}

// statusOf is the SCHEDULE-STATUS for an enhanced code such as "5.1.1".
func statusOf(code string) string {
	_, rest, _ := strings.Cut(code, ".")
	for key := rest; ; key, _, _ = strings.Cut(key, ".") {
		if s, ok := scheduleStatus[key]; ok {
			return s
		}
		if !strings.Contains(key, ".") {
			return scheduleStatus[""]
		}
	}
}

// basicStatus is for replies without an enhanced code, by stage.
func basicStatus(code int, recipient bool) string {
	switch {
	case code == 552:
		return "5.2" // too much mail data
	case code == 554, code == 521:
		return "5.3"
	case recipient && (code == 550 || code == 551 || code == 553):
		return "3.7"
	}
	return "5.1"
}

// retryLater is the pause after a refusal that only the administrator can mend.
const retryLater = time.Hour

// outcome words the result of one attempt. recipient tells that the error is
// the answer to RCPT. Only a 5xx reply of the relay is final.
func outcome(err error, recipient bool) journal.Outcome {
	var reply *smtp.SMTPError
	if !errors.As(err, &reply) {
		return journal.Outcome{State: journal.Retry, Status: "1.0", Reason: "unreachable", Sentence: "The mail relay could not be used: " + oneLine(err.Error()) + ". The message will be tried again."}
	}
	code := reply.EnhancedCode
	enhanced := ""
	if code[0] > 0 {
		enhanced = fmt.Sprintf("%d.%d.%d", code[0], code[1], code[2])
	}
	said := strings.TrimSpace(fmt.Sprintf("%d %s", reply.Code, enhanced)) + " " + oneLine(reply.Message)
	if reply.Temporary() {
		return journal.Outcome{State: journal.Retry, Status: "1.0", Reason: "temporary", Sentence: "The mail relay asks to try again later: " + said}
	}
	switch reply.Code {
	case 530, 534, 535, 538: // RFC 4954 6: sign in first. The site can put that right; the message is good.
		return journal.Outcome{State: journal.Retry, Status: "1.0", Reason: "sign-in", Sentence: "The mail relay wants a user name and password that mail.relay does not give: " + said, After: retryLater}
	}
	if reply.Code/100 != 5 { // not an answer SMTP knows here
		return journal.Outcome{State: journal.Retry, Status: "1.0", Reason: "unreachable", Sentence: "The mail relay gave an answer that makes no sense: " + said, After: retryLater}
	}
	status := basicStatus(reply.Code, recipient)
	if enhanced != "" && !(code[1] == 0 && code[2] == 0) {
		status = statusOf(enhanced)
	}
	return journal.Outcome{State: journal.Failed, Status: status, Reason: "refused", Sentence: "The mail relay refused the message: " + said}
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + "…"
	}
	return s
}
