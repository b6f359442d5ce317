package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/convene-cal/convene/internal/problem"
)

// version is set when a release is built (Makefile, -ldflags -X).
var version = "development"

// Exit statuses, as scripts rely on them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Streams is what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Std is the process's own streams.
func Std() Streams { return Streams{os.Stdin, os.Stdout, os.Stderr} }

// errFailed ends a command with status 1 whose findings were printed already.
var errFailed = errors.New("failed")

// usageError is a mistake in the arguments that only the command could see.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// commands is the tree of commands; each leaf has a Run method.
type commands struct {
	Data     string `help:"Data folder of the service." placeholder:"DIR" short:"d"`
	Config   string `help:"Configuration file (default: convene.toml in the data folder)." placeholder:"FILE" short:"c"`
	Progress bool   `help:"Tell on standard error how far long work has come, also where that is no terminal."`

	Demo        demoCommand         `cmd:"" help:"Two organisations in one process, nothing to configure."`
	Init        initCommand         `cmd:"" help:"Set up a service: configuration, store, first administrator."`
	Serve       serveCommand        `cmd:"" help:"Run the service in the foreground."`
	Account     accountCommands     `cmd:"" help:"People, groups and rooms."`
	AppPassword appPasswordCommands `cmd:"" help:"Passwords for single clients."`
	Calendar    calendarCommands    `cmd:"" help:"Calendars of an account."`
	Event       eventCommands       `cmd:"" help:"One's own calendar from the command line."`
	Import      importCommand       `cmd:"" help:"Take calendar files and mails into an account."`
	Export      exportCommand       `cmd:"" help:"Write calendars as files."`
	Message     messageCommands     `cmd:"" help:"The scheduling journal: every message in and out."`
	Sender      senderCommands      `cmd:"" help:"Whose messages are taken, and what they must prove."`
	Key         keyCommands         `cmd:"" help:"Keys and certificates for signed and encrypted mail."`
	Freebusy    freebusyCommand     `cmd:"" help:"When people are busy."`
	CIP         cipCommands         `cmd:"" name:"cip" help:"A client of the Calendaring Interoperability Protocol."`
	Ical        icalCommands        `cmd:"" help:"File tools: need no server and no store."`
	Backup      backupCommand       `cmd:"" help:"Write everything into one archive."`
	Restore     restoreCommand      `cmd:"" help:"Fill an empty store from an archive."`
	Migrate     migrateStoreCommand `cmd:"" name:"migrate-store" help:"Copy the store to PostgreSQL, or back."`
	Doctor      doctorCommand       `cmd:"" help:"Examine the service: store, clock, listeners, certificate, DNS, mail."`
	Version     versionCommand      `cmd:"" help:"Print the version and what was built in."`
}

// env is what every command gets.
type env struct {
	Streams
	ctx  context.Context
	root *commands
}

// Main runs one command line and returns its exit status.
func Main(args []string, io Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal does not wait for what winds up

	var root commands
	exited := -1
	parser, err := kong.New(&root,
		kong.Name("convene"),
		kong.Description("Calendars for people, groups and rooms, and scheduling with anyone, whatever calendar they use."),
		kong.Writers(io.Out, io.Err),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Exit(func(status int) { exited = status; panic(exitNow{}) }),
	)
	if err != nil {
		fmt.Fprintln(io.Err, "convene:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parse(parser, args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(io.Err, "convene: %v; see convene --help\n", err)
		return exitUsage
	}
	if strings.HasPrefix(parsed.Command(), "ical ") {
		stop() // the file tools have nothing to wind up: a signal ends them
	}
	e := &env{Streams: io, ctx: ctx, root: &root}
	return e.exitStatus(parsed.Run(e))
}

// exitNow unwinds kong's parser after it printed help.
type exitNow struct{}

func parse(p *kong.Kong, args []string) (c *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exitNow); !ok {
				panic(r)
			}
		}
	}()
	return p.Parse(args)
}

// exitStatus prints the one sentence of an error and chooses the status.
func (e *env) exitStatus(err error) int {
	var usage usageError
	var status statusError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(forPeople(e.Err), "convene: %v\n", err)
		return exitUsage
	case errors.As(err, &status):
		fmt.Fprintf(forPeople(e.Err), "convene: %s\n", sentence(err))
		return status.status
	case errors.Is(err, context.Canceled) && e.ctx.Err() != nil:
		fmt.Fprintln(e.Err, "convene: interrupted")
		return exitFailed
	}
	fmt.Fprintf(forPeople(e.Err), "convene: %s\n", sentence(err))
	return exitFailed
}

// sentence is the refusal's own words and place where there is one: what we
// wrapped around it is for logs. The cause of our own failures is shown too:
// whoever runs the command is its operator.
func sentence(err error) string {
	var p *problem.Problem
	if !errors.As(err, &p) {
		return err.Error()
	}
	s := p.Sentence
	if p.Where != "" {
		s = p.Where + ": " + s
	}
	if p.Cause != nil && (p.Condition == problem.Internal || p.Condition == problem.Unavailable) {
		s += " (" + p.Cause.Error() + ")"
	}
	return s
}
