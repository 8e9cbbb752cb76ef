using System.Text;
using System.Text.Json;
using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Configuration;

public sealed class TaskSpecHashTests
{
    private static readonly TaskSpec Spec = new()
    {
        Name = "a",
        Trainer = new TrainerSpec("X", null, JsonDocument.Parse("""{ "b": [1, 2.50], "a": { "z": null, "y": "é" } }""").RootElement),
        Environment = new Dictionary<string, string> { ["B"] = "2", ["A"] = "1" },
        Retry = new RetrySpec { MaxAttempts = 9, Rules = [new FailureRule("n", FailureAction.Hold, 1, null, null)] },
    };

    /// <summary>A text of an earlier version lacks members of later ones, and what it lacks has its default.</summary>
    [Fact]
    public void Compute_OfATextWithoutAnyMember_IsThatOfTheDefaults()
    {
        const string Text = """{"name":"a","command":["x"],"checkpoint":{},"progress":{}}""";
        TaskSpec full = JsonSerializer.Deserialize(
            JsonSerializer.Serialize(new TaskSpec { Name = "a", Command = ["x"] }, CoreJsonContext.Default.TaskSpec),
            CoreJsonContext.Default.TaskSpec
        )!;

        TaskSpec read = JsonSerializer.Deserialize(Text, CoreJsonContext.Default.TaskSpec)!;

        read.Checkpoint.WarnsAfter().ShouldBe(full.Checkpoint.WarnsAfter());
        read.Checkpoint.WarnAfter.ShouldBe(full.Checkpoint.WarnAfter);
        read.Progress.ShouldNotBeNull().Patterns.ShouldBeEmpty();
    }

    [Fact]
    public void Canonical_Specification_IsSortedAndWithoutDefaults() =>
        Encoding
            .UTF8.GetString(TaskSpecHash.Canonical(Spec))
            .ShouldBe(
                """{"environment":{"A":"1","B":"2"},"name":"a","retry":{"maxAttempts":9,"rules":[{"action":"Hold","exitCode":1,"name":"n"}]},"trainer":{"settings":{"a":{"y":"\u00E9","z":null},"b":[1,2.50]},"type":"X"}}"""
            );

    // Hashes stand in journals: a change here makes running tasks look like other ones.
    [Fact]
    public void Compute_KnownSpecifications_HaveTheirHashes()
    {
        TaskSpecHash.Compute(new TaskSpec { Name = "a", Command = ["x"] }).ShouldBe(Sha256("""{"command":["x"],"name":"a"}"""));
        TaskSpecHash.Compute(Spec).Length.ShouldBe(64);
    }

    [Fact]
    public void Compute_AfterJournalRoundTrip_IsTheSame()
    {
        string json = JsonSerializer.Serialize(Spec, CoreJsonContext.Default.TaskSpec);

        TaskSpecHash.Compute(JsonSerializer.Deserialize(json, CoreJsonContext.Default.TaskSpec)!).ShouldBe(TaskSpecHash.Compute(Spec));
    }

    [Fact]
    public void Compute_OrderOfDictionary_DoesNotMatter() =>
        TaskSpecHash
            .Compute(
                Spec with
                {
                    Environment = new Dictionary<string, string> { ["A"] = "1", ["B"] = "2" },
                }
            )
            .ShouldBe(TaskSpecHash.Compute(Spec));

    [Fact]
    public void Compute_AnyChange_ChangesTheHash()
    {
        TaskSpec[] others =
        [
            Spec with
            {
                Name = "b",
            },
            Spec with
            {
                Priority = 1,
            },
            Spec with
            {
                Slots = 2,
            },
            Spec with
            {
                Environment = new Dictionary<string, string> { ["A"] = "1" },
            },
            Spec with
            {
                Secrets = new Dictionary<string, string> { ["C"] = "file:/run/c" },
            },
            Spec with
            {
                Umask = "022",
            },
            Spec with
            {
                NodeEnvironment = new EnvironmentSpec { Setup = "make" },
            },
            Spec with
            {
                WaitForChildren = true,
            },
            Spec with
            {
                Stall = new StallSpec { Command = TimeSpan.FromMinutes(10) },
            },
            Spec with
            {
                WorkingDirectory = "/x",
            },
            Spec with
            {
                Checkpoint = new CheckpointSpec { KeepLast = 6 },
            },
            Spec with
            {
                Retry = new RetrySpec(),
            },
            Spec with
            {
                Stall = new StallSpec { Saving = TimeSpan.Zero },
            },
            Spec with
            {
                Grace = TimeSpan.Zero,
            },
            Spec with
            {
                Trainer = Spec.Trainer! with { Settings = null },
            },
            Spec with
            {
                Trainer = null,
                Command = ["X"],
            },
        ];

        others.Append(Spec).Select(TaskSpecHash.Compute).ShouldBeUnique();
    }

    private static string Sha256(string text) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
