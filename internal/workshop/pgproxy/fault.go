package pgproxy

import "time"

// An End is how a connection ends for the program.
type End int

const (
	Any   End = iota // one of the others, by chance
	FIN              // the peer closed it: the program reads its end
	Reset            // the peer is gone (TCP RST): the program reads an error
)

// Faults are what goes wrong, and how often. Shares are of 0 to 1. The zero Faults are none.
type Faults struct {
	Refuse bool // connections are refused, and open ones reset
	Hang   bool // connections are taken, and nothing passes either way until another SetFaults

	Delayed float64       // share of requests that wait
	Delay   time.Duration // the longest such wait; each is a random part of it
	Cut     float64       // share of requests at which the connection ends: half before PostgreSQL reads them, half before the reply
	Swallow float64       // share of COMMITs, of transactions that changed rows, which happen and whose reply is swallowed
	End     End           // how connections end that are cut or lose a reply
}

// None lets everything pass.
func None() Faults { return Faults{} }

// Counts tell what the faults have done so far.
type Counts struct {
	Cut                     int // connections, at a request
	SwallowedFIN, Swallowed int // replies of COMMITs, by FIN and in all
}

// SetFaults replaces the faults, for open connections too. It returns when new connections meet the new state.
func (p *Proxy) SetFaults(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
	close(p.changed)
	p.changed = make(chan struct{})
	if p.closed {
		return
	}
	if !f.Refuse {
		p.listen()
		return
	}
	p.stopListening()
	for l := range p.links {
		l.end(Reset)
	}
}

// Counts are what the faults have done since Start.
func (p *Proxy) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// fate is what becomes of one request.
type outcome struct {
	wait          time.Duration
	before, after bool // the connection is cut
	end           End
}

// draw decides over a request.
func (p *Proxy) drawOutcome() (f outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults.Delay > 0 && p.chance.Float64() < p.faults.Delayed {
		f.wait = time.Duration(p.chance.Int64N(int64(p.faults.Delay)))
	}
	if p.chance.Float64() < p.faults.Cut {
		f.before, f.end = p.chance.IntN(2) == 0, p.drawEnd()
		f.after = !f.before
		p.counts.Cut++
	}
	return f
}

// swallows decides over the reply of a COMMIT.
func (p *Proxy) swallowsReply() (End, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.chance.Float64() >= p.faults.Swallow {
		return Any, false
	}
	end := p.drawEnd()
	if p.counts.Swallowed++; end == FIN {
		p.counts.SwallowedFIN++
	}
	return end, true
}

// how draws an end. The lock is held.
func (p *Proxy) drawEnd() End {
	if p.faults.End == Any {
		return FIN + End(p.chance.IntN(2))
	}
	return p.faults.End
}

// pass waits while the proxy hangs.
func (p *Proxy) waitWhileHanging() {
	for {
		p.mu.Lock()
		hangs, changed := p.faults.Hang && !p.closed, p.changed
		p.mu.Unlock()
		if !hangs {
			return
		}
		<-changed
	}
}
