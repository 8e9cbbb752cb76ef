using ActorTrainer.Checkpoints;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Memory;
using ActorTrainer.Training.Protocol;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>A state that is stored while its worker still copies it into the memory of its task.</summary>
public sealed class FilledMemoryTests : IDisposable
{
    private static readonly RunKey Run = WorkerHarness.Key();
    private static readonly RunKey Next = WorkerHarness.Key(2);

    private readonly string _folder = WorkerHarness.NewDirectory();
    private readonly StateMemory _memory = new(3L << 20, TimeProvider.System);

    public void Dispose()
    {
        _memory.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Filled_ToTheEnd_IsStoredThen()
    {
        Task<CheckpointRef> saving = SaveWhileItIsFilledAsync();
        _memory.Filled(Run, new FilledMessage("s1", 5000)).ShouldBeNull();
        _memory.Filled(Run, new FilledMessage("no such", 10_000) { Complete = true }).ShouldBeNull();
        saving.IsCompleted.ShouldBeFalse();

        _memory.Filled(Run, new FilledMessage("s1", 9100) { Complete = true }).ShouldBeNull();

        CheckpointRef saved = await saving;
        _memory.Stored(Run, "s1", saved);
        _memory.Release(Run, "s1").ShouldBeNull();
        _memory.TryRestore(Next, saved, CancellationToken.None).ShouldBeTrue();
    }

    [Fact]
    public async Task Filled_InOtherPlaces_IsStoredFromThere()
    {
        Task<CheckpointRef> saving = SaveWhileItIsFilledAsync();

        _memory.Filled(Run, new FilledMessage("s1", 300) { Complete = true, Files = [new StagedFile("b", [0, 300])] }).ShouldBeNull();

        _ = await Should.ThrowAsync<StateRestagedException>(() => saving);
        CheckpointRef saved = await SaveAsync("s1");
        saved.Bytes.ShouldBe(300);
        _memory.Stored(Run, "s1", saved);
        _memory.Release(Run, "s1").ShouldBeNull();
        _memory.TryRestore(Next, saved, CancellationToken.None).ShouldBeTrue();
        _memory.Restored(Next)!.Files.ShouldHaveSingleItem().Path.ShouldBe("b");
    }

    [Fact]
    public async Task Filled_OutsideOfItsArea_SaysWhyAndIsNotStored()
    {
        Task<CheckpointRef> saving = SaveWhileItIsFilledAsync();

        _memory
            .Filled(Run, new FilledMessage("s1", 300) { Complete = true, Files = [new StagedFile("b", [0, 300_000])] })
            .ShouldBe("has the file 'b' outside of its memory");

        (await Should.ThrowAsync<CheckpointStoreException>(() => saving)).IsOfTheState.ShouldBeTrue();
    }

    [Fact]
    public async Task Filled_WithAProblem_IsNotStoredAndSaysIt()
    {
        Task<CheckpointRef> saving = SaveWhileItIsFilledAsync();

        _memory.Filled(Run, new FilledMessage("s1", 0) { Problem = "no space" }).ShouldBeNull();

        CheckpointStoreException e = await Should.ThrowAsync<CheckpointStoreException>(() => saving);
        (e.Message, e.IsOfTheState).ShouldBe(("The state could not be staged: no space", true));
        _memory.Release(Run, "s1").ShouldBe(1, "it may be written again");
    }

    [Fact]
    public async Task End_WhileAStateIsFilled_EndsItsSave()
    {
        Task<CheckpointRef> saving = SaveWhileItIsFilledAsync();

        _memory.End(Run);

        (await Should.ThrowAsync<CheckpointStoreException>(() => saving)).Message.ShouldContain("ended while it was staging");
    }

    /// <summary>A state that is still to be copied, as far as the node was told.</summary>
    private Task<CheckpointRef> SaveWhileItIsFilledAsync()
    {
        StatesInMemory.Write(_memory.Offer(Run)!.Areas[1], [.. Enumerable.Range(0, 10_000).Select(i => (byte)(i * i / 3))]);
        StagedMessage staged = new("s1", 1, 0, "request", new Dictionary<string, double>())
        {
            Area = 1,
            Files = [new StagedFile("a", [100, 9000])],
            Filling = true,
        };
        _memory.Stage(Run, staged).ShouldBeNull();
        return SaveAsync("s1");
    }

    private Task<CheckpointRef> SaveAsync(string id) => StatesInMemory.SaveAsync(_memory, Run, id, _folder);
}
