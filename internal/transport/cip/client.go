package cip

import (
	"context"

	"github.com/convene-cal/convene/cip"
)

// Connection is a conversation with a server for tools: its commands are a
// person's.
type Connection struct {
	c *CIP
	l *link
}

// Open connects to a server as the transport itself does: configuration or
// DNS, TLS and login as agreed with the peer.
func (c *CIP) Open(ctx context.Context, server string) (*Connection, error) {
	l, err := c.connect(ctx, serverID(server))
	if err != nil {
		return nil, err
	}
	return &Connection{c, l}, nil
}

// Greeting is what the server said first.
func (x *Connection) Greeting() cip.Greeting { return x.l.Greeting }

// Command sends a command, with data when they are not nil, and reads the answer.
func (x *Connection) Command(ctx context.Context, line string, data []byte) (cip.Reply, error) {
	return x.l.do(ctx, commandTime, func() (cip.Reply, error) { return x.l.Command(line, data) })
}

// Encrypt begins TLS.
func (x *Connection) Encrypt(ctx context.Context) error { return x.c.encrypt(ctx, x.l) }

// Close ends the conversation; the protocol has no word for it.
func (x *Connection) Close() error { return x.l.conn.Close() }
