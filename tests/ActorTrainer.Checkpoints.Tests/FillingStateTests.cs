using System.Collections.Concurrent;
using ActorTrainer.Checkpoints.Tests.Faults;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Checkpoints.Tests;

/// <summary>A state that is stored while it is still being copied into its memory.</summary>
public sealed class FillingStateTests : IDisposable
{
    private const int Length = (SaveFixture.ChunkSize * 40) + 123;

    private readonly SaveFixture _fixture = new();
    private readonly SharedMemory _area = SharedMemory.TryCreate()!;
    private readonly MemoryFilling _filling = new();
    private readonly byte[] _bytes;
    private readonly byte[] _later;

    public FillingStateTests() => (_bytes, _later) = (_fixture.Noise(Length), _fixture.Noise(1000));

    public void Dispose()
    {
        _area.Dispose();
        _fixture.Dispose();
    }

    /// <summary>What was in the area before must not be taken for the state.</summary>
    [Fact]
    public async Task Save_WhileItIsCopied_StoresWhatWasCopiedAndEndsWithIt()
    {
        RandomAccess.Write(_area.File, _fixture.Noise(Length + 1000), 0);
        ConcurrentQueue<DiskStep> early = [];
        Task<CheckpointRef> saving = SaveAsync(step =>
        {
            if (!_filling.IsOver && step.Action is DiskAction.Sync or DiskAction.Rename)
            {
                early.Enqueue(step);
            }
        });
        for (int at = 0; at < Length; at += 10_000)
        {
            int end = Math.Min(Length, at + 10_000);
            RandomAccess.Write(_area.File, _bytes.AsSpan(at, end - at), at);
            _filling.Advance(end);
        }

        RandomAccess.Write(_area.File, _later, Length);
        _filling.Advance(Length + 1000);
        await PackIsThereAsync();
        saving.IsCompleted.ShouldBeFalse();
        _filling.Complete();

        CheckpointRef saved = await saving;
        early.Where(step => step.Path.Contains("c-1-", StringComparison.Ordinal)).ShouldBeEmpty("nobody had said that this is the state");
        string restored = _fixture.Folder["restored"];
        await _fixture.Open().RestoreAsync(_fixture.Task, saved, restored, CancellationToken.None);
        (await File.ReadAllBytesAsync(Path.Combine(restored, "z"))).ShouldBe(_bytes);
        (await File.ReadAllBytesAsync(Path.Combine(restored, "a"))).ShouldBe(_later);
    }

    [Theory]
    [InlineData(70_000)]
    [InlineData(Length + 1000)]
    public async Task Save_WorkerEndsMeanwhile_FailsByTheStateAndLeavesNothing(int copied)
    {
        RandomAccess.Write(_area.File, _fixture.Noise(Length + 1000), 0);
        Task<CheckpointRef> saving = SaveAsync();
        _filling.Advance(copied);
        await PackIsThereAsync();

        _filling.Fail(() => new CheckpointStoreException("the worker ended") { IsOfTheState = true });

        (await Should.ThrowAsync<CheckpointStoreException>(() => saving)).IsOfTheState.ShouldBeTrue();
        (await _fixture.Open().ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Save_StateStandsElsewhere_LeavesNothingAndTheNameCanBeUsed()
    {
        RandomAccess.Write(_area.File, _fixture.Noise(Length + 1000), 0);
        SaveRequest request = Request(_filling);
        FolderStore store = _fixture.Open();
        Task<CheckpointRef> saving = store.SaveAsync(request, CancellationToken.None);
        _filling.Advance(Length + 1000);
        await PackIsThereAsync();

        _filling.Fail(() => new StateRestagedException());

        _ = await Should.ThrowAsync<StateRestagedException>(() => saving);
        (await store.ListFilesAsync(_fixture.Task, CancellationToken.None)).ShouldBeEmpty();
        SaveRequest again = request with { Source = Request(null).Source };
        CheckpointRef saved = await store.SaveAsync(again, CancellationToken.None);
        (await store.VerifyAsync(_fixture.Task, saved, CancellationToken.None)).ShouldBeGreaterThan(Length);
    }

    [Fact]
    public void Filling_ThatIsOver_DoesNotChange()
    {
        _filling.Complete();
        _filling.Fail(() => new StateRestagedException());
        _filling.WaitFor(long.MaxValue);
        _filling.WaitForAll();

        MemoryFilling failed = new();
        failed.Fail(() => new StateRestagedException());
        failed.Advance(100);
        failed.Complete();
        _ = Should.Throw<StateRestagedException>(() => failed.WaitFor(1));
        failed.IsOver.ShouldBeTrue();
    }

    /// <summary>The file that is first by its name is copied last.</summary>
    private SaveRequest Request(MemoryFilling? filling) =>
        _fixture.Request(_fixture.NewName()) with
        {
            Source = new MemorySource(
                _area.File,
                [new MemoryFile("a", [new MemoryExtent(Length, 1000)]), new MemoryFile("z", [new MemoryExtent(0, Length)])],
                DateTimeOffset.UnixEpoch,
                filling
            ),
        };

    private Task<CheckpointRef> SaveAsync(Action<DiskStep>? before = null) =>
        _fixture.Open(before).SaveAsync(Request(_filling), CancellationToken.None);

    /// <summary>Waits until a chunk was stored.</summary>
    private async Task PackIsThereAsync()
    {
        string folder = Path.Combine(_fixture.StoreFolder, _fixture.Task.Value, "packs");
        using CancellationTokenSource deadline = new(TimeSpan.FromSeconds(60));
        while (!Directory.Exists(folder) || Directory.GetFiles(folder, "*.pack").Length == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, deadline.Token);
        }
    }
}
