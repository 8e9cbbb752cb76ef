using ActorTrainer.Testing.Conformance;

namespace ActorTrainer.Journal.Tests;

public sealed class SqliteJournalConformanceTests : JournalConformance
{
    private readonly JournalFolder _folder = new();

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Dispose();
    }

    protected override async Task<IJournal> OpenAsync() => await _folder.OpenAsync(_folder.Options(NumberOfShards), Time);
}
