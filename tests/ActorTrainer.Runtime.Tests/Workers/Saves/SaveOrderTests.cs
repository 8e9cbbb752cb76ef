using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Tests.Workers.Saves;

/// <summary>Scripts that save in many orders: no state that is taken for whole has files of two saves.</summary>
public sealed class SaveOrderTests
{
    private const int Seeds = 40;

    public static TheoryData<string> Patterns => [.. SaveScript.Patterns.Keys];

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Of_ScriptThatRunsOn_NoStateIsMixed(string pattern) => Check(pattern, SaveBreak.None);

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Of_ProcessThatEndedInTheMiddleOfASave_NoStateIsMixed(string pattern) => Check(pattern, SaveBreak.Disturbed);

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Of_ProcessThatWasKilledInTheMiddleOfASave_NoStateIsMixed(string pattern) => Check(pattern, SaveBreak.Void);

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Of_RunThatGoesOnFromAnother_NoStateIsMixed(string pattern) => Check(pattern, SaveBreak.Boundary);

    [Theory]
    [InlineData("m o m o", 4)]
    [InlineData("m o m", 0)]
    [InlineData("m m", 2)]
    [InlineData("rank0 rank1 rank1 rank0", 4)]
    [InlineData("rank0 rank1 rank1", 0)]
    [InlineData("model-step100 opt-step100 model-step200 opt-step200", 4)]
    [InlineData("model-step１００ opt-step１００ model-step２００ opt-step２００", 4)]
    [InlineData("part-1-of-2 part-2-of-2 part-1-of-2 part-2-of-2", 4)]
    [InlineData("e=1-loss=0.53.ckpt e=2-loss=0.41.ckpt", 2)]
    [InlineData("shard_0 shard_1 shard_2", 0)]
    public void Of_Paths_WholeAfter(string paths, int whole) =>
        SaveOrder.Of([.. paths.Split(' ').Select((path, i) => new Completion(path, i * 1000, SaveBreak.None))], []).Whole.ShouldBe(whole);

    /// <summary>Two writers without a last file between them: what belongs together cannot be seen, and that is said.</summary>
    [Fact]
    public void Of_TwoWritersInAnyOrder_IsUnclear()
    {
        Completion[] completions = [.. "x y y x x y".Split(' ').Select((path, i) => new Completion(path, i * 1000, SaveBreak.None))];
        SaveOrder.Of(completions, []).Unclear.ShouldNotBeNull();
    }

    private static void Check(string pattern, SaveBreak disturbance)
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            SaveScript script = new(pattern, seed, disturbance);
            script.Run();
            script.Wrong.ShouldBeNull($"{pattern}, seed {seed}: {script}");
            if (!SaveScript.Unclear.Contains(pattern))
            {
                script.Commits.ShouldBeGreaterThan(0, $"{pattern}, seed {seed}: {script}");
            }
        }
    }
}
