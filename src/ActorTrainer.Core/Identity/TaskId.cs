using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ActorTrainer.Core.Identity;

/// <summary>
/// Names one training task for ever: the task's name and a short suffix, for example <c>digits-a-k3f9</c>.
/// Lower-case letters, digits and single dashes, 1 to 80 characters.
/// </summary>
[JsonConverter(typeof(TaskIdJsonConverter))]
public readonly record struct TaskId : IComparable<TaskId>
{
    /// <summary>The longest accepted id, in characters.</summary>
    public const int MaxLength = 80;

    /// <summary>Without letters that are taken for digits.</summary>
    private const string SuffixAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    private readonly string? _value;

    private TaskId(string value) => _value = value;

    /// <summary>The id as text.</summary>
    public string Value => _value ?? "";

    /// <summary>Parses an id.</summary>
    /// <exception cref="FormatException">The text is not a task id; the message says why.</exception>
    public static TaskId Parse(string text) =>
        TryParse(text, out TaskId id)
            ? id
            : throw new FormatException(
                $"'{text}' is not a task id: use 1 to {MaxLength} lower-case letters, digits and dashes, "
                    + "starting and ending with a letter or digit."
            );

    /// <summary>Parses an id; false when the text is not one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out TaskId id)
    {
        id = default;
        if (!IsName(text, MaxLength))
        {
            return false;
        }

        id = new TaskId(text);
        return true;
    }

    /// <summary>An id for a task of this name: the name, a dash, and a suffix of five drawn characters.</summary>
    public static TaskId Draw(string name, DeterministicRandom random)
    {
        ulong bits = random.NextUInt64();
        Span<char> suffix = stackalloc char[5];
        for (int i = 0; i < suffix.Length; i++)
        {
            suffix[i] = SuffixAlphabet[(int)((bits >> (i * 5)) & 31)];
        }

        return Parse($"{name}-{suffix}");
    }

    /// <summary>Whether the text is made as ids and task names are: lower-case letters, digits, inner dashes.</summary>
    public static bool IsName([NotNullWhen(true)] string? text, int maxLength)
    {
        if (string.IsNullOrEmpty(text) || text.Length > maxLength || text[0] == '-' || text[^1] == '-')
        {
            return false;
        }

        foreach (char c in text)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'))
            {
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc />
    public int CompareTo(TaskId other) => string.CompareOrdinal(Value, other.Value);

    /// <inheritdoc />
    public override string ToString() => Value;
}

/// <summary>Writes an id as its text. Public for contexts generated outside this assembly.</summary>
public sealed class TaskIdJsonConverter : JsonConverter<TaskId>
{
    /// <inheritdoc />
    public override TaskId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetString() is not { Length: > 0 } text ? default // The answer to a command that is for no task.
        : TaskId.TryParse(text, out TaskId id) ? id
        : throw new JsonException("not a task id");

    /// <inheritdoc />
    public override void Write(Utf8JsonWriter writer, TaskId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}
