using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Environments;

namespace ActorTrainer.Runtime.Tests.Workers;

/// <summary>Which environments are the same, and which are kept.</summary>
public sealed class EnvironmentRulesTests
{
    private const string Python = "interpreter /usr/bin/python3.11 3.11.2";
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("numpy==2.0\n# see ./docs\ntorch @ https://x.test/torch.whl\n--index-url https://x.test/simple\n", false)]
    [InlineData("./lib", true)]
    [InlineData("-e .", true)]
    [InlineData("numpy\n -r more.txt", true)]
    [InlineData("--constraint=c.txt", true)]
    [InlineData("wheels/tiny-1.0-py3-none-any.whl", true)]
    [InlineData("tiny @ file:///opt/tiny.whl", true)]
    public void Compute_RequirementsOfAnotherBundle_AreTheSameUnlessTheyNameItsFiles(string requirements, bool another)
    {
        TaskSpec spec = Spec(new EnvironmentSpec { Requirements = "requirements.txt" });
        TaskSpec changed = spec with { Bundle = spec.Bundle! with { Hash = new string('b', 64) } };

        (EnvironmentKey.Compute(spec, Python, requirements) != EnvironmentKey.Compute(changed, Python, requirements)).ShouldBe(another);
    }

    [Fact]
    public void Compute_WhateverGoesIntoIt_MakesAnotherOne()
    {
        EnvironmentSpec both = new() { Requirements = "requirements.txt", Setup = "make" };
        string[] keys =
        [
            EnvironmentKey.Compute(Spec(both), Python, "numpy"),
            EnvironmentKey.Compute(Spec(both), Python + "1", "numpy"),
            EnvironmentKey.Compute(Spec(both), Python, "numpy\n"),
            EnvironmentKey.Compute(Spec(both with { Setup = "make all" }), Python, "numpy"),
            EnvironmentKey.Compute(Spec(both with { Setup = null }), Python, "numpy"),
            EnvironmentKey.Compute(Spec(both with { Setup = null }), Python, ""),
            EnvironmentKey.Compute(Spec(new EnvironmentSpec { Setup = "make" }), Python, null),
            EnvironmentKey.Compute(Spec(new EnvironmentSpec { Setup = "make", Venv = "/opt/v" }), Python, null),
            EnvironmentKey.Compute(Spec(both) with { Bundle = new BundleSpec(new string('b', 64), 1, 1) }, Python, "numpy"),
            EnvironmentKey.Compute(Spec(both) with { Links = new Dictionary<string, string> { ["data"] = "/data" } }, Python, "numpy"),
        ];

        keys.ShouldBeUnique();
        keys.ShouldAllBe(key => key.Length == 64);
        EnvironmentKey
            .Compute(
                Spec(both) with
                {
                    Name = "u",
                    Environment = new Dictionary<string, string> { ["SEED"] = "7" },
                },
                Python,
                "numpy"
            )
            .ShouldBe(keys[0], "a task of another name and with other variables uses the same");
    }

    [Fact]
    public void Surplus_TooOldOrTooMuch_TakesTheOnesUsedLongestAgoAndNoneInUse()
    {
        KeptEnvironment[] kept =
        [
            new("new", 40, Now - TimeSpan.FromHours(1), InUse: false),
            new("used", 40, Now - TimeSpan.FromDays(30), InUse: true),
            new("middle", 40, Now - TimeSpan.FromHours(2), InUse: false),
            new("old", 40, Now - TimeSpan.FromDays(8), InUse: false),
        ];

        new EnvironmentBounds(TimeSpan.FromDays(7), 1000).Surplus(kept, Now).ShouldBe(["old"]);
        new EnvironmentBounds(TimeSpan.FromDays(7), 80).Surplus(kept, Now).ShouldBe(["old", "middle"]);
        new EnvironmentBounds(TimeSpan.FromDays(7), 0).Surplus(kept, Now).ShouldBe(["old", "middle", "new"]);
        new EnvironmentBounds(TimeSpan.FromDays(365), 1000).Surplus(kept, Now).ShouldBeEmpty();
    }

    private static TaskSpec Spec(EnvironmentSpec wanted) =>
        new()
        {
            Name = "t",
            Command = ["true"],
            NodeEnvironment = wanted,
            Bundle = new BundleSpec(new string('a', 64), 1, 1),
        };
}
