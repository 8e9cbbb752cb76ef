using System.Globalization;

namespace ActorTrainer.Cli.Output;

/// <summary>Times for people: how long ago, or exact in UTC.</summary>
internal sealed record Times(DateTimeOffset Now, bool Utc)
{
    public string Show(DateTimeOffset time) =>
        Utc ? time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) : Ago(Now - time);

    /// <summary>A clock that is behind must not show negative times.</summary>
    public static string Ago(TimeSpan age) => age < TimeSpan.FromSeconds(1) ? "now" : $"{Human.Duration(age)} ago";
}
