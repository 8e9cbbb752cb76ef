using ActorTrainer.Testing.Conformance;

namespace ActorTrainer.Journal.Tests;

public sealed class MemoryJournalConformanceTests : JournalConformance
{
    private MemoryJournal? _journal;

    protected override Task<IJournal> OpenAsync() => Task.FromResult((_journal ??= new MemoryJournal(NumberOfShards, Time)).Open());
}

public sealed class MemoryJournalTests
{
    [Fact]
    public void Kill_HeldLifeLock_BecomesFree()
    {
        var journal = new MemoryJournal(1, TimeProvider.System);
        journal.HoldLifeLock(3);
        journal.IsLifeLockFree(3).ShouldBe(false);
        journal.Kill(3);
        journal.IsLifeLockFree(3).ShouldBe(true);
        journal.Kill(4);
        journal.IsLifeLockFree(4).ShouldBeNull();
    }
}
