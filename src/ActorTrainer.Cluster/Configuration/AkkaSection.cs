using ActorTrainer.Core.Configuration;
using ActorTrainer.Hocon;
using Npgsql;

namespace ActorTrainer.Cluster.Configuration;

/// <summary>
/// The <c>akka</c> section of a node: <c>derived.conf</c> with the values of the node's model, and the user's own section over it. It needs
/// the model alone, so a node whose port was chosen when it began to listen gets that port.
/// </summary>
public static class AkkaSection
{
    private const string Template = "derived.conf";

    /// <summary>
    /// A root object with the one field <c>akka</c>. Every value has its place: the user's keep theirs, the others say which key below
    /// <c>actortrainer</c> they are derived from, or where in <c>derived.conf</c> they stand.
    /// </summary>
    /// <param name="model">The node's model.</param>
    /// <param name="livingNodes">How many nodes live now, this one included.</param>
    /// <exception cref="ConfigException">
    /// The user's section contradicts the <c>actortrainer</c> section, the two do not go together, or the connection string
    /// is none.
    /// </exception>
    public static ConfigObject Derive(NodeModel model, int livingNodes = 1)
    {
        AkkaModelReader.Check(model);
        CheckConnectionString(model);
        IReadOnlyList<DerivedValue> values = DerivedValues.Of(model, livingNodes);
        ConfigOrigin origin = new(Template, 0, 0);
        ConfigObject known = Root(
            origin,
            "derived",
            new ConfigObject(origin, [.. values.Select(v => KeyValuePair.Create(v.Name, v.Value))])
        );
        ConfigObject derived = HoconReader.ReadText(ReadTemplate(), Template, known);
        if (model.Akka.Section is not { } own)
        {
            return derived;
        }

        ConfigObject akka = (ConfigObject)derived.At("akka")!;
        Contradictions.Check(own, akka, values);
        return Root(own.Origin, "akka", own.Merge(akka));
    }

    /// <summary>The same as text for Akka.NET's own parser.</summary>
    /// <exception cref="ConfigException">As for <see cref="Derive"/>.</exception>
    public static string Text(NodeModel model, int livingNodes = 1) => ConfigRenderer.Render(Derive(model, livingNodes), origins: false);

    private static ConfigObject Root(ConfigOrigin origin, string key, ConfigObject value) =>
        new(origin, [KeyValuePair.Create(key, (ConfigNode)value)]);

    private static string ReadTemplate()
    {
        using Stream stream = typeof(AkkaSection).Assembly.GetManifestResourceStream(Template)!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }

    private static void CheckConnectionString(NodeModel model)
    {
        if (model.Journal.PostgreSql is not { } text)
        {
            return;
        }

        string? problem;
        try
        {
            problem = string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(text).Host) ? "it names no Host" : null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or KeyNotFoundException)
        {
            problem = e.Message.TrimEnd('.');
        }

        if (problem is not null)
        {
            const string key = "actortrainer.journal.postgresql";
            ConfigOrigin place = model.Akka.Places.GetValueOrDefault(key) ?? new ConfigOrigin("configuration", 0, 0);
            throw new ConfigException(
                place,
                $"{key} is not a connection string of Npgsql: {problem}. "
                    + "Write one such as \"Host=db;Database=actortrainer;Username=actortrainer\"."
            );
        }
    }
}
