package pgproxy

import "time"

// An End is how a connection ends for the program.
type End int

const (
	Any   End = iota // one of the others, at random
	FIN              // the peer closed the connection: the program reads its end
	Reset            // the peer is down (TCP RST): the program reads an error
)

// Faults are what fails, and how often. Shares are between 0 and 1. The zero Faults are no faults.
type Faults struct {
	Refuse bool // connections are refused, and open ones reset
	Hang   bool // connections are accepted, and nothing passes in either direction until the next SetFaults

	Delayed float64       // share of requests that are delayed
	Delay   time.Duration // the longest delay; each is a random part of it
	Cut     float64       // share of requests at which the connection is closed: half before PostgreSQL reads them, half before the reply
	Swallow float64       // share of COMMITs, of transactions that changed rows, that are executed and whose reply is dropped
	End     End           // how connections end that are closed or lose a reply
}

// None returns no faults.
func None() Faults { return Faults{} }

// Counts are the numbers of faults so far.
type Counts struct {
	Cut                     int // connections, at a request
	SwallowedFIN, Swallowed int // replies of COMMITs, by FIN and in all
}

// SetFaults replaces the faults, also for open connections. When it returns, new connections get the new behaviour.
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

// Counts returns the numbers of faults since Start.
func (p *Proxy) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// outcome is what happens to one request.
type outcome struct {
	wait          time.Duration
	before, after bool // the connection is closed
	end           End
}

// drawOutcome draws what happens to a request.
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

// swallowsReply draws whether the reply of a COMMIT is dropped.
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

// drawEnd draws how a connection ends. The caller holds the lock.
func (p *Proxy) drawEnd() End {
	if p.faults.End == Any {
		return FIN + End(p.chance.IntN(2))
	}
	return p.faults.End
}

// waitWhileHanging blocks while the proxy hangs.
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
