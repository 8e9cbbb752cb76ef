using ActorTrainer.Core.Configuration;
using ActorTrainer.Core.Tasks;

namespace ActorTrainer.Core.Tests.Configuration;

/// <summary>What a command needs of its node.</summary>
public sealed class TaskEnvironmentTests
{
    [Fact]
    public void Problem_OneOfThemOrASetupBesides_IsNone()
    {
        EnvironmentSpec[] good =
        [
            new() { Venv = "/opt/venv" },
            new() { Requirements = "requirements.txt" },
            new() { Requirements = "/opt/requirements.txt" },
            new() { Setup = "make" },
            new() { Venv = "/opt/venv", Setup = "make" },
            new() { Requirements = "deep/requirements.txt", Setup = "pip install -e . && make" },
        ];

        good.ShouldAllBe(wanted => TaskSpecRules.Problem(With(wanted)) == null);
        TaskSpecRules
            .Problem(With(new EnvironmentSpec { Requirements = "../requirements.txt" }) with { WorkingDirectory = "/work/code" })
            .ShouldBeNull("beside a working directory that stays where it is there may be more");
    }

    [Theory]
    [InlineData(null, null, null, "the environment has no venv, no requirements and no setup; give it one of them, or leave it out")]
    [InlineData(
        "/opt/v",
        "r.txt",
        null,
        "environment.venv names a virtual environment that exists, and environment.requirements makes one; "
    )]
    [InlineData("venv", null, null, "environment.venv 'venv' is not a full path; write the folder that holds bin/python")]
    [InlineData(null, " ", null, "environment.requirements ' ' is not a file's path; write one")]
    [InlineData(null, "../r.txt", null, "environment.requirements '../r.txt' leads out of the working directory")]
    [InlineData(null, null, " ", "environment.setup is empty or contains a zero character")]
    [InlineData(null, null, "a\0b", "environment.setup is empty or contains a zero character")]
    public void Problem_WhatCannotBe_IsSaid(string? venv, string? requirements, string? setup, string problem) =>
        TaskSpecRules
            .Problem(
                With(
                    new EnvironmentSpec
                    {
                        Venv = venv,
                        Requirements = requirements,
                        Setup = setup,
                    }
                )
            )
            .ShouldStartWith(problem);

    [Fact]
    public void Problem_OfATrainer_IsSaid() =>
        TaskSpecRules
            .Problem(With(new EnvironmentSpec { Setup = "make" }) with { Command = null, Trainer = new TrainerSpec("T", null, null) })
            .ShouldStartWith("environment.venv, requirements and setup are for commands");

    private static TaskSpec With(EnvironmentSpec wanted) =>
        new()
        {
            Name = "t",
            Command = ["true"],
            NodeEnvironment = wanted,
        };
}
