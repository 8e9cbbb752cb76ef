using System.Xml.Linq;

namespace ActorTrainer.House;

/// <summary>Whether the akka engine was built, as <c>eng/Akka.props</c> found out and noted.</summary>
/// <param name="LeftOut">Why it was left out; null: it was built.</param>
/// <param name="LastGreen">The day and the versions of the last run in which all its tests passed.</param>
internal sealed record AkkaBuild(string? LeftOut, string LastGreen)
{
    /// <summary>What a build says of it.</summary>
    public IReadOnlyList<string> Lines => LeftOut is null
        ? ["akka engine: built"]
        : [$"akka engine: left out ({LeftOut})", $"akka engine: last green run {LastGreen}"];

    /// <summary>Reads what was noted.</summary>
    public static AkkaBuild Read(Repository repository)
    {
        string result = repository.PathOf("artifacts", "akka-engine.props");
        return Parse(File.ReadAllText(repository.PathOf("eng", "Akka.props")), File.Exists(result) ? File.ReadAllText(result) : null);
    }

    /// <summary>Parses the two files.</summary>
    /// <param name="props"><c>eng/Akka.props</c>.</param>
    /// <param name="result"><c>artifacts/akka-engine.props</c>; null: there is none yet.</param>
    public static AkkaBuild Parse(string props, string? result)
    {
        string lastGreen = Value(XElement.Parse(props), "AkkaLastGreen");
        if (result is null)
        {
            return new AkkaBuild("nothing has asked the feed for its packages yet", lastGreen);
        }

        XElement found = XElement.Parse(result);
        return new AkkaBuild(Value(found, "AkkaEngine") == "true" ? null : Value(found, "AkkaLeftOut"), lastGreen);
    }

    private static string Value(XElement project, string property) =>
        project.Elements("PropertyGroup").Elements(property).Select(element => element.Value.Trim()).FirstOrDefault() ?? "";
}
