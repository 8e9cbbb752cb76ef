namespace ActorTrainer.Build.Tests.Rules;

/// <summary>Inside of a project the namespaces have an order, as the projects have: what is used does not use its user.</summary>
public sealed class NamespaceCycleTests
{
    /// <summary>Cycles that are known and are to go: take an entry out, or names out of one, as they do.</summary>
    private static readonly Dictionary<string, string[]> Known = new()
    {
        ["ActorTrainer.Cli"] =
        [
            "ActorTrainer.Cli, ActorTrainer.Cli.Commands, ActorTrainer.Cli.Doctor, ActorTrainer.Cli.Hosting, ActorTrainer.Cli.Output",
        ],
        ["ActorTrainer.Core"] = ["ActorTrainer.Core.Checkpoints, ActorTrainer.Core.Tasks"],
        ["ActorTrainer.Hocon"] = ["ActorTrainer.Hocon, ActorTrainer.Hocon.Extensions"],
        ["ActorTrainer.Runtime"] = ["ActorTrainer.Runtime.Workers, ActorTrainer.Runtime.Workers.Files"],
    };

    public static TheoryData<string> Projects() => LayeringTests.Projects();

    [Theory]
    [MemberData(nameof(Projects))]
    public void Namespaces_OfAProductProject_HaveNoCycles(string project)
    {
        string assembly = project == "ActorTrainer.Cli" ? "actortrainer" : project;

        IReadOnlyList<string> cycles = NamespaceGraph.Read(Path.Combine(AppContext.BaseDirectory, assembly + ".dll")).Cycles();

        cycles.ShouldBe(
            Known.GetValueOrDefault(project, []),
            $"a new cycle is to be undone, one that is gone to be taken out of {nameof(NamespaceCycleTests)}.{nameof(Known)}"
        );
    }

    [Fact]
    public void Known_Projects_AreThere() => Known.Keys.ShouldBeSubsetOf(LayeringTests.ProjectNames());

    [Fact]
    public void Cycles_OfAGraph_AreTheNamespacesThatReachEachOther()
    {
        NamespaceGraph graph = new([("A", "B"), ("B", "C"), ("C", "B"), ("C", "D"), ("E", "E"), ("F", "G"), ("G", "H"), ("H", "F")]);

        graph.Cycles().ShouldBe(["B, C", "F, G, H"]);
    }

    /// <summary>An assembly of which nothing was read would have no cycles.</summary>
    [Fact]
    public void Read_ThisAssembly_SeesItsUses()
    {
        NamespaceGraph graph = NamespaceGraph.Read(typeof(NamespaceCycleTests).Assembly.Location);

        graph.Uses("ActorTrainer.Build.Tests.Suites").ShouldContain("ActorTrainer.Build.Tests.Rules");
    }
}
